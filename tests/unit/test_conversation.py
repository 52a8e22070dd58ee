"""Written conversations are read, and what is wrong in them is said with its line."""

import pytest

from local.conversation import Conversation, ConversationError, Turn


def test_a_conversation_is_read() -> None:
    conversation = Conversation.from_text(
        "# a comment\n\ncaller: Hello: anyone?\nAgent:  Yes.\nvoicemail: Call\nvoicemail: me.\n"
    )

    assert conversation.turns == (Turn("caller", "Hello: anyone?"), Turn("agent", "Yes."))
    assert conversation.voicemail == "Call me."
    assert conversation.summary is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("caller: Hi\nno label", "line 2: no 'caller:'"),
        ("agent:", "line 1: nothing is said"),
        ("doctor: Hi", "line 1: 'doctor' is none of"),
        ("summary: One.\nsummary: Two.", "line 2: a second summary"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ConversationError, match=complaint):
        Conversation.from_text(text)


def test_longer_words_take_longer() -> None:
    assert Turn("caller", "Yes.").seconds == 1.0
    assert Turn("caller", "word " * 25).seconds == 10.0
