"""What was booked is read as people say it, and left open where their words leave a choice."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.appointment import BETWEEN_PIECES, appointment
from calls.spoken_when import Calendar, dates, time_of, whens

CHICAGO = "America/Chicago"
WEDNESDAY = datetime(2026, 3, 4, 15, 10, tzinfo=UTC)  # 9:10 in Chicago


def talk(*lines):
    """Give turns from "a: …" and "c: …" lines."""
    names = {"a": "agent", "c": "caller"}
    return [{"speaker": names[line[0]], "text": line[3:]} for line in lines]


def booked(*lines, settled=None, at=WEDNESDAY, timezone=CHICAGO):
    turns = talk(*lines)
    last = len(turns) - 1 if settled is None else settled
    return appointment(turns, last, None, at, timezone) or {}


def read(words):
    """Give the date and time that words mean on Wednesday, 4 March 2026."""
    found = booked(f"a: You're all set for {words}.")
    return found.get("date"), found.get("time")


SAID = [
    ("Tuesday at half past three", "2026-03-10", "15:30"),
    ("tuesday the tenth at two thirty", "2026-03-10", "14:30"),
    ("Tuesday, March 10th, at 2:30 PM", "2026-03-10", "14:30"),
    ("the fourteenth of May at nine a m", "2026-05-14", "09:00"),
    ("May fourteenth at 9 a.m", "2026-05-14", "09:00"),
    ("may the fourteenth nine a.m", "2026-05-14", "09:00"),
    ("March 5 at 330", "2026-03-05", "15:30"),
    ("3/14 at 10:15", "2026-03-14", "10:15"),
    ("2026-03-14 at 1530", "2026-03-14", "15:30"),
    ("December 3rd 2026 at ten", "2026-12-03", "10:00"),
    ("November fifth at eleven", "2026-11-05", "11:00"),
    ("the 14th at noon", "2026-03-14", "12:00"),
    ("the second at noon", "2026-04-02", "12:00"),
    ("the thirty first at noon", "2026-03-31", "12:00"),
    ("a week from Tuesday at quarter to four", "2026-03-17", "15:45"),
    ("Tuesday week at 3 pm", "2026-03-17", "15:00"),
    ("two weeks from Friday at one", "2026-03-20", "13:00"),
    ("Tuesday after next at one", "2026-03-17", "13:00"),
    ("this coming Monday at twelve thirty", "2026-03-09", "12:30"),
    ("this Friday at two", "2026-03-06", "14:00"),
    ("next Wednesday at two", "2026-03-11", "14:00"),
    ("next week Thursday at two", "2026-03-12", "14:00"),
    ("Thursday of next week at two", "2026-03-12", "14:00"),
    ("today at four fifteen", "2026-03-04", "16:15"),
    ("this afternoon at 4", "2026-03-04", "16:00"),
    ("tonight at seven", "2026-03-04", "19:00"),
    ("tomorrow at ten in the morning", "2026-03-05", "10:00"),
    ("tomorrow morning at seven", "2026-03-05", "07:00"),
    ("the day after tomorrow at 9:15", "2026-03-06", "09:15"),
    ("in three days at eleven", "2026-03-07", "11:00"),
    ("in two weeks at eleven", "2026-03-18", "11:00"),
    ("two weeks from today at 11 am", "2026-03-18", "11:00"),
    ("Friday ten past eleven", "2026-03-06", "11:10"),
    ("Thursday at twenty to six", "2026-03-05", "17:40"),
    ("Thursday at half seven in the evening", "2026-03-05", "19:30"),
    ("Thursday at three oh five", "2026-03-05", "15:05"),
    ("Thursday at ten forty five", "2026-03-05", "10:45"),
    ("Thursday at eleven o'clock", "2026-03-05", "11:00"),
    ("Thursday at 3pm", "2026-03-05", "15:00"),
    ("3 pm on Thursday", "2026-03-05", "15:00"),
    ("Thursday at three in the afternoon", "2026-03-05", "15:00"),
    ("Thursday with Doctor Chen at three", "2026-03-05", "15:00"),
    ("uh thursday um the the twelfth at at ten", "2026-03-12", "10:00"),
    ("Thursday the 12th at a quarter past three", "2026-03-12", "15:15"),
    ("Thursday at 12", "2026-03-05", "12:00"),
    ("Thursday at 17:40", "2026-03-05", "17:40"),
]


@pytest.mark.parametrize(("words", "day", "clock"), SAID, ids=[row[0] for row in SAID])
def test_a_day_and_time_are_read_as_people_say_them(words, day, clock):
    assert read(words) == (day, clock)


@pytest.mark.parametrize(
    "words",
    [
        "Tuesday the 14th",  # the 14th is a Saturday
        "Monday, March 10th",  # a Tuesday
        "the second of March",  # two days ago
        "January fifth",  # lately
        "next Friday",  # in two days, or in nine
        "Wednesday",  # today, or in a week
        "the fourth",  # today, or in a month
        "the week after",
        "February 30th",
        "some time next week",
        "Monday of the week after that",
    ],
)
def test_a_day_that_could_be_two_or_none_stays_words(words):
    found = booked(f"a: You're all set for {words}.")
    assert "date" not in found


@pytest.mark.parametrize(
    "words",
    [
        "Thursday at seven",  # morning or evening
        "Thursday at 7:30",
        "Thursday after two",
        "Thursday before noon",
        "Thursday between two and four",
        "Thursday from 2 to 4",
        "Thursday, two or three",
        "Thursday for 30 minutes",
        "Thursday at 330 Main Street",
        "Thursday at 25:99",
    ],
)
def test_a_time_that_could_be_two_or_none_stays_open(words):
    found = booked(f"a: You're all set for {words}.")
    assert found["date"] == "2026-03-05"
    assert "time" not in found


def test_figures_are_month_first_in_america_and_open_elsewhere():
    # given
    words = "a: You're booked for 5/4 at ten."

    # then
    assert booked(words)["date"] == "2026-05-04"
    assert "date" not in booked(words, timezone="Europe/London")
    assert (
        booked("a: You're booked for Monday 4/5.", timezone="Europe/London")["date"] == "2026-05-04"
    )
    assert booked("a: You're booked for 14/5.", timezone="Europe/London")["date"] == "2026-05-14"


def test_the_clinics_time_zone_says_which_day_tomorrow_is():
    late = datetime(2026, 3, 5, 3, 30, tzinfo=UTC)  # still Wednesday in Chicago
    assert booked("a: See you tomorrow at ten.", at=late)["date"] == "2026-03-05"
    assert (
        booked("a: See you tomorrow at ten.", at=late, timezone="Asia/Tokyo")["date"]
        == "2026-03-06"
    )


def test_without_a_time_zone_only_what_holds_everywhere_is_resolved():
    assert booked("a: See you March 14th.", timezone=None)["date"] == "2026-03-14"
    assert "date" not in booked("a: See you tomorrow.", timezone=None)
    assert "date" not in booked("a: See you tomorrow.", timezone="Mars/Olympus")


def test_without_the_calls_date_the_words_are_kept():
    found = booked("a: You're set for Tuesday at 2:30.", at=None)
    assert found == {"time": "14:30", "text": "Tuesday at 2:30"}


def test_around_new_year_the_next_one_is_meant():
    december = datetime(2026, 12, 28, 15, 10, tzinfo=UTC)
    assert booked("a: See you January fifth.", at=december)["date"] == "2027-01-05"
    assert booked("a: See you Tuesday the fifth.", at=december)["date"] == "2027-01-05"


def test_a_time_of_today_that_has_gone_by_is_not_dated():
    assert "date" not in booked("a: You're set for today at 8 am.")


COURSES = [
    (
        "the caller picks one of two offers by its day",
        (
            "a: I have Tuesday the tenth at two thirty, or Thursday the twelfth at four.",
            "c: Tuesday works.",
            "a: Great, you're all set.",
        ),
        ("2026-03-10", "14:30"),
    ),
    (
        "by its time",
        (
            "a: We've got Thursday at ten fifteen or Friday at two.",
            "c: Ten fifteen is good.",
            "a: You're in.",
        ),
        ("2026-03-05", "10:15"),
    ),
    (
        "by its place",
        (
            "a: There's the ninth at 9:40 or the tenth at 11.",
            "c: The second one please.",
            "a: Booked.",
        ),
        ("2026-03-10", "11:00"),
    ),
    (
        "the first of two times",
        (
            "a: thursday either nine forty or ten past eleven",
            "c: the first one",
            "a: okay thats booked",
        ),
        ("2026-03-05", "09:40"),
    ),
    (
        "yes to two offers leaves both open",
        ("a: Tuesday at two or Thursday at four?", "c: Yes, that's great.", "a: You're booked."),
        (None, None),
    ),
    (
        "two times on one day leave the time open",
        ("a: Thursday at nine or at eleven?", "c: Sure.", "a: You're booked."),
        ("2026-03-05", None),
    ),
    (
        "an offer that was refused does not win",
        (
            "a: Tuesday the 10th at 3?",
            "c: I can't do Tuesday.",
            "a: Thursday the 12th, quarter to twelve?",
            "c: Yes.",
            "a: Done.",
        ),
        ("2026-03-12", "11:45"),
    ),
    (
        "a refused day's time is not the other day's",
        (
            "a: How about Tuesday at 3?",
            "c: No, Tuesday's no good. Friday?",
            "a: Friday works, you're booked.",
        ),
        ("2026-03-06", None),
    ),
    (
        "unless it is the same time",
        ("a: How about Tuesday at 3?", "c: Same time Friday?", "a: Friday works, you're booked."),
        ("2026-03-06", "15:00"),
    ),
    (
        "a later time on the same day",
        (
            "a: Tuesday at 9?",
            "c: Anything later?",
            "a: I have 4:30.",
            "c: Perfect.",
            "a: Got you down.",
        ),
        ("2026-03-10", "16:30"),
    ),
    (
        "the day was said with its date before",
        ("a: Thursday the 19th at ten?", "c: Thursday at ten is great.", "a: See you Thursday."),
        ("2026-03-19", "10:00"),
    ),
    (
        "the talk was of next week",
        (
            "c: Do you have anything next week?",
            "a: Friday at ten.",
            "c: I'll take it.",
            "a: Booked.",
        ),
        ("2026-03-13", "10:00"),
    ),
    (
        "not this week makes the weekday open",
        ("c: I can't do it this week.", "a: Friday at ten then?", "c: Yes.", "a: Booked."),
        (None, "10:00"),
    ),
    (
        "a date of birth is not the visit's",
        (
            "a: Friday at 2:15?",
            "c: Yes please.",
            "a: What's your date of birth?",
            "c: June 9th, eighty one.",
            "a: You're all set.",
        ),
        ("2026-03-06", "14:15"),
    ),
    (
        "a date of birth without marks or case",
        (
            "a: friday two fifteen",
            "c: yeah",
            "a: date of birth",
            "c: the fourth of the fourth sixty one",
            "a: ok youre in",
        ),
        ("2026-03-06", "14:15"),
    ),
    (
        "nor is the day when it began to hurt, or of the last visit",
        (
            "c: My knee hurts since Monday, I was in last Tuesday at 8.",
            "a: Friday at noon?",
            "c: Yes.",
            "a: You're booked.",
        ),
        ("2026-03-06", "12:00"),
    ),
    (
        "nor closing time, nor the reminder",
        (
            "a: Friday at noon, we close at one. We'll call you Thursday to remind you.",
            "c: Good.",
            "a: You're set.",
        ),
        ("2026-03-06", "12:00"),
    ),
    (
        "nor prices, ages and teeth",
        (
            "c: My son is 8, tooth number 14, can I come Friday at 9?",
            "a: Yes, the exam is $95 and takes 45 minutes.",
            "c: ok",
            "a: Booked.",
        ),
        ("2026-03-06", "09:00"),
    ),
    (
        "a slip of the tongue is taken back",
        ("a: So that's Tuesday, no, sorry, Thursday at three.", "c: Right.", "a: Booked."),
        ("2026-03-05", "15:00"),
    ),
    (
        "day and time in two turns",
        (
            "c: Could I come Monday?",
            "a: What time?",
            "c: Around three thirty.",
            "a: Okay, I've got you in.",
        ),
        ("2026-03-09", "15:30"),
    ),
    (
        "a bare hour that was offered",
        ("a: Friday at nine or at eleven.", "c: Nine.", "a: Booked."),
        ("2026-03-06", "09:00"),
    ),
    (
        "the evening decides what seven is",
        ("c: I need an evening.", "a: Thursday at seven?", "c: Yes.", "a: Booked."),
        ("2026-03-05", "19:00"),
    ),
    (
        "an interruption in the middle",
        (
            "a: i could do tuesday the tenth",
            "a: at two thirty",
            "c: ten you said the tenth",
            "a: mm hm",
            "c: yeah i can swing that",
            "a: alright i put you down",
        ),
        ("2026-03-10", "14:30"),
    ),
    (
        "another order before it",
        (
            "c: I'd like to book a cab for 6 pm tomorrow.",
            "a: Done.",
            "c: And a dentist, on Friday.",
            "a: Friday, okay, booked.",
        ),
        ("2026-03-06", None),
    ),
]


@pytest.mark.parametrize(
    ("lines", "expected"), [row[1:] for row in COURSES], ids=[row[0] for row in COURSES]
)
def test_the_last_agreed_day_and_time_count(lines, expected):
    found = booked(*lines)
    assert (found.get("date"), found.get("time")) == expected


TALKS = [  # date and time, and the talk, its turns between bars
    (
        "2026-03-09 07:30",
        "c: I need fasting labs.|a: Okay, Monday, first thing? Seven thirty?|c: Perfect.|a: All right, Monday seven thirty, nothing to eat after midnight.",
    ),
    (
        "2026-03-05 16:15",
        "a: I could squeeze her in tomorrow at 4:15.|c: School lets out at three so that's perfect.|a: Great, see you then.",
    ),
    (
        "2026-03-12 09:00",
        "a: The 12th, nine o'clock with Dr. Roe.|c: My shift ends at seven so I can do nine.|a: Alright, you're booked. Please come at quarter to nine to do the paperwork.",
    ),
    (
        "2026-03-12 09:00",
        "a: I have the 12th at 9.|c: ok|a: Come in at 8:45 for your 9 o'clock appointment.",
    ),
    (
        "2026-03-06 13:20",
        "c: My mom's appointment is at two on Friday, could I go right before?|a: I can do one twenty.|c: Yes, do that.|a: Done, one twenty Friday.",
    ),
    (
        "2026-03-10 11:00",
        "a: Dr. Roe's out until Monday. Tuesday at 11?|c: Yes.|a: Okay you're on the schedule.",
    ),
    (
        "2026-03-17 14:30",
        "a: How's a week from Tuesday, two thirty?|c: The 17th? That's my birthday. Sure.|a: Happy early birthday, you're in.",
    ),
    (
        "2026-04-01 10:00",
        "a: It'd be April first at ten.|c: No fooling?|a: No fooling. Should I put you down?|c: Yep.|a: Done.",
    ),
    (
        "2026-03-11 15:45",
        "c: can you do wednesday|a: today|c: no next wednesday|a: next wednesday the eleventh i have three forty five|c: thatll work|a: ok youre set",
    ),
    (
        "2026-03-13 None",
        "a: Friday the 13th, we've got a bunch: 9, 10:30, 2.|c: Friday the 13th is fine.|a: Okay I'll book you in.",
    ),
    (
        "2026-03-13 10:30",
        "a: Friday the 13th, we've got 9, 10:30, 2.|c: Ten thirty.|a: Okay I'll book you in.",
    ),
    (
        "2026-03-16 08:20",
        "a: First available is Monday the 16th at 8:20 a.m.|c: Nothing sooner?|a: I'm afraid not, unless someone cancels.|c: Okay, I'll take that.|a: Booked. I'll put you on the cancellation list too.",
    ),
    (
        "2026-03-09 14:00",
        "c: I'd like to come in Monday.|a: Morning or afternoon?|c: Afternoon.|a: Two or three?|c: Two.|a: Great.",
    ),
    (
        "2026-03-24 16:40",
        "a: Would the twenty fourth work? That's a Tuesday.|c: What times?|a: twenty to five.|c: Yes.|a: Lovely, that's you booked.",
    ),
    (
        "2026-03-05 17:45",
        "a: We have a quarter to six tomorrow.|c: Can he make it a bit earlier? Like five?|a: No, quarter to six is all.|c: Fine, quarter to six.|a: OK.",
    ),
    (
        "2026-03-20 12:15",
        "a: On the twentieth he has twelve fifteen.|c: That's my lunch at 12, so good.|a: I've got you.",
    ),
    ("2026-03-06 09:30", "a: Friday, half nine?|c: Half past nine, Friday, yeah.|a: Smashing."),
    (
        "2026-03-19 15:00",
        "c: Thursday afternoons are best.|a: Not this Thursday but next, the 19th, no sorry, let me see. Yes the 19th, three.|c: Good.|a: ok booked",
    ),
    (
        "2026-03-10 10:10",
        "a: ok so i have tuesday at ten ten|c: ten ten|a: yeah ten ten in the morning|c: ok|a: alright see you tuesday",
    ),
    (
        "2026-03-31 13:00",
        "a: His next opening is March 31 at 1.|c: That's four weeks!|a: I know. We're closed the week of the 16th.|c: Book it.|a: Booked.",
    ),
    (
        "2026-03-06 11:00",
        "a: Is Friday at 11 good?|c: Let me check, I have physio at 9 and then a call at 1, yes 11 is good.|a: Done.",
    ),
    (
        "2026-03-18 09:15",
        "a: So you had the surgery on the 2nd, he wants you at two weeks, so the 18th, 9:15.|c: Okay.|a: We'll see you then.",
    ),
    (
        "2026-03-10 15:00",
        "a: tuesday at three or do you want the wednesday|c: tuesday|a: tuesday at three done",
    ),
    (
        "2026-05-04 14:00",
        "c: I'm due for my six month cleaning in May.|a: The first Monday is the fourth. Two o'clock?|c: Yes.|a: See you May fourth at two.",
    ),
    (
        "2026-03-07 08:00",
        "a: we're open Saturdays eight to noon. I could do this Saturday right at eight|c: oh that's great|a: okay saturday at eight",
    ),
    (
        "None 14:30",
        "a: Doctor Lee can see you at two thirty.|c: Great, thank you.|a: You're booked.",
    ),
    (
        "2026-03-04 14:30",
        "c: can i get in today|a: we have two thirty|c: great|a: ok see you at two thirty",
    ),
    (
        "2026-03-12 18:30",
        "c: it has to be after work|a: thursday the twelfth six thirty|c: perfect|a: booked",
    ),
    ("2026-03-11 10:00", "a: I can do the 11th at 10 or 10:30.|c: The earlier.|a: You got it."),
    ("2026-03-11 10:30", "a: I can do the 11th at 10 or 10:30.|c: The later one.|a: You got it."),
    (
        "2026-03-06 None",
        "a: Friday at 2?|c: Could we do half an hour later?|a: Sure, you're booked.",
    ),
    (
        "2026-03-06 14:30",
        "a: Friday at 2?|c: Could we do half an hour later?|a: 2:30, sure, you're booked.",
    ),
    (
        "2026-03-10 09:40",
        "a: And Wren's is Tuesday at nine, so I can put her sister right after at nine forty.|c: Yes please.|a: So sister's in at nine forty Tuesday.",
    ),
    (
        "2026-03-13 15:15",
        "a: He's in clinic Tuesdays and Fridays. Next week Friday, 3:15?|c: OK|a: All booked for Friday.",
    ),
    (
        "2026-06-02 08:45",
        "a: It'll be June before she has anything. June second, 8:45?|c: I'm away till the first so that works.|a: Great.",
    ),
    (
        "2026-03-12 13:00",
        "c: Any chance tomorrow? |a: No, a week tomorrow, at one?|c: Okay.|a: Booked.",
    ),
    (
        "2026-03-05 19:15",
        "a: Tomorrow evening at 7:15 is free.|c: yes|a: see you at quarter past seven",
    ),
    (
        "2026-03-23 10:00",
        "a: That's in three weeks, Monday the 23rd, at ten.|c: Sounds good.|a: You're down for the 23rd.",
    ),
    (
        "2026-03-05 11:20",
        "a: We could do eleven twenty tomorrow, or there's a five past four.|c: Eleven twenty. Is that with Dr. May?|a: Yes, Dr. May.|c: OK.|a: That's confirmed.",
    ),
    (
        "2026-03-06 16:00",
        "c: Hi it's 555 0142, my date of birth is 3/5/80.|a: Thanks. Friday at 4?|c: Yes.|a: Your copay is 40. See you Friday.",
    ),
    ("2026-03-05 14:30", "a: Tomorrow at two-thirty?|c: Yes.|a: Two-thirty it is."),
    ("2026-03-05 16:45", "a: Tomorrow at four-forty-five?|c: Yes.|a: Booked."),
    ("2026-03-05 15:45", "a: Tomorrow at quarter of four?|c: Yes.|a: Booked."),
    ("2026-03-05 14:50", "a: Tomorrow, ten of three?|c: Yes.|a: Booked."),
    ("2026-03-05 15:00", "a: tomorrow at three o clock|c: yes|a: ok"),
    ("2026-04-05 10:00", "a: The 5th of next month at 10?|c: Yes.|a: Booked."),
    ("2026-04-05 10:00", "c: Something next month.|a: The 5th at 10?|c: Yes.|a: Booked."),
    ("2026-03-20 10:00", "a: The 20th of this month at 10?|c: Yes.|a: Booked."),
    ("None 10:00", "a: The second Tuesday in May at 10?|c: Yes.|a: Booked."),
    ("None 10:00", "a: The Tuesday after Easter at 10?|c: Yes.|a: Booked."),
    ("2026-03-10 15:30", "a: Tuesday after school, 3:30?|c: Yes.|a: Booked."),
    (
        "None 09:00",
        "a: That'd be the week of the 16th. He's in Tuesday or Thursday.|c: Tuesday, what time?|a: Nine o'clock.|c: Okay.|a: See you Tuesday at nine.",
    ),
    (
        "None 10:00",
        "a: Monday the 16th at 9?|c: Anything later that week?|a: Friday at ten.|c: good|a: Booked for Friday.",
    ),
    ("None 10:00", "a: Monday the 9th at 10?|c: How about the next day?|a: Yes, at 10. Booked."),
    ("2026-05-07 10:00", "a: She's out to mid-May. Hmm, no, May 7th at ten.|c: Okay.|a: Booked."),
    ("2026-03-11 16:30", "a: Wednesday the 11th, late afternoon, four thirty?|c: Sure.|a: Booked."),
    (
        "2026-03-10 10:00",
        "c: I was in this past Monday.|a: Tuesday the 10th at 10 for the follow-up?|c: Sure.|a: Booked.",
    ),
    ("2026-03-12 14:00", "a: 2:00 PM on 03/12/2026.|c: ok|a: done"),
    ("2026-03-12 09:05", "a: the twelfth at nine oh five|c: ok|a: done"),
    ("2026-03-12 09:05", "a: the twelfth at nine-oh-five|c: ok|a: done"),
    ("2026-03-05 12:00", "a: tomorrow at 12:00 noon|c: ok|a: done"),
    ("2026-03-05 12:30", "a: tomorrow at half twelve|c: ok|a: done"),
    ("2026-03-06 09:00", "a: This Friday 9 a.m. okay?|c: This Friday I can.|a: Then it's Friday."),
    (
        "2026-03-27 11:15",
        "a: Four weeks would be... let me see... April 1st, but she's away. Friday the 27th, 11:15?|c: That's fine.|a: Friday the 27th, 11:15.",
    ),
]


@pytest.mark.parametrize(("expected", "lines"), TALKS)
def test_a_clinics_talk_gives_its_day_and_time(expected, lines):
    found = booked(*lines.split("|"))
    assert f"{found.get('date')} {found.get('time')}" == expected


CORRECTIONS = [
    (("c: Actually can we make it 3:15?", "a: Sure, 3:15."), "2026-03-05", "15:15"),
    (("c: Wait, could we make it 3:15?", "a: Yes, that's changed."), "2026-03-05", "15:15"),
    (("c: Actually can we make it 3:15?", "a: No, that one's taken."), "2026-03-05", "15:00"),
    (("a: Oh sorry, I can make it 3:30 instead.", "c: That's fine."), "2026-03-05", "15:30"),
    (
        ("a: Oh sorry, I can make it 3:30 instead.", "c: No, that's too late."),
        "2026-03-05",
        "15:00",
    ),
    (("a: See you Thursday at three.", "c: Bye."), "2026-03-05", "15:00"),
    (("c: Until when are you open?", "a: Till six."), "2026-03-05", "15:00"),
    (
        ("c: I also need to book a cab for 2 pm.", "a: A cab at 2 pm tomorrow, booked."),
        "2026-03-05",
        "15:00",
    ),
]


@pytest.mark.parametrize(("lines", "day", "clock"), CORRECTIONS)
def test_what_is_agreed_after_the_settling_turn_corrects_it(lines, day, clock):
    opening = ("a: Thursday at three?", "c: Yes please.", "a: You're booked for Thursday at three.")
    found = booked(*opening, *lines, settled=2)
    assert (found["date"], found["time"]) == (day, clock)


SUMMARIES = [
    (
        "The agent scheduled a cleaning for Tuesday, March 10 at 9:00 AM with Dr. Lee.",
        "2026-03-10",
        "09:00",
        "Dr. Lee",
        "cleaning",
    ),
    (
        "They were offered Tuesday at 2 but chose Thursday at 4:15 PM, and the agent confirmed it.",
        "2026-03-05",
        "16:15",
        None,
        None,
    ),
    (
        "Appointment booked for the customer's dog on Friday at 10:30 for vaccinations.",
        "2026-03-06",
        "10:30",
        None,
        "vaccinations",
    ),
    (
        "She agreed to see Dr. Banks on Monday morning, and the agent put her on his schedule for 8:45.",
        "2026-03-09",
        "08:45",
        "Dr. Banks",
        None,
    ),
    ("Booked for October 8 at 5:10 PM and 5:20 PM.", "2026-10-08", None, None, None),
    ("The caller booked an appointment.", None, None, None, None),
]


@pytest.mark.parametrize(("summary", "day", "clock", "whom", "what"), SUMMARIES)
def test_a_summary_alone_says_what_was_booked(summary, day, clock, whom, what):
    found = appointment([], None, summary, WEDNESDAY, CHICAGO) or {}
    assert (found.get("date"), found.get("time")) == (day, clock)
    assert (found.get("with"), found.get("for")) == (whom, what)


PEOPLE = [
    ("a: You're in with Dr. Chen Thursday at three.", "Dr. Chen"),
    ("a: ok thursday at three with doctor patel", "doctor patel"),
    ("a: Dr. Chen is out, so Dr. Patel Thursday at three.", "Dr. Patel"),
    ("a: Thursday at three with Maria Lopez.", "Maria Lopez"),
    ("a: Thursday at three with our hygienist Maria.", "our hygienist Maria"),
    ("a: What insurance? Still with Delta Dental? Thursday at three.", None),
    ("a: See you Thursday at three.", None),
    ("a: Dr. Chen on Thursday or Dr. Patel on Friday, all set.", None),
]


@pytest.mark.parametrize(("line", "whom"), PEOPLE)
def test_with_whom_is_named_where_one_is(line, whom):
    assert booked(line).get("with") == whom


PURPOSES = [
    ("c: I need a cleaning.", "cleaning"),
    ("c: it's for a check up for my son Leo", "check up … my son Leo"),
    ("c: I'd like an eye exam.", "eye exam"),
    ("c: It's time for my daughter's flu shot.", "flu shot … my daughter"),
    ("c: I had a filling last year, now I need a root canal.", "root canal"),
    ("c: Something for my dog, please.", "my dog"),
    ("c: My tooth hurts.", None),
]


@pytest.mark.parametrize(("line", "what"), PURPOSES)
def test_for_what_and_for_whom_are_kept_as_said(line, what):
    assert booked(line, "a: Thursday at three, booked.").get("for") == what


def test_nothing_known_is_none():
    assert appointment([], None, None, WEDNESDAY, CHICAGO) is None
    assert appointment(talk("a: You're booked."), 0, None, WEDNESDAY, CHICAGO) is None


WORDS = st.sampled_from(
    [
        "tuesday",
        "the",
        "tenth",
        "14th",
        "of",
        "may",
        "march",
        "at",
        "half",
        "past",
        "three",
        "3:30",
        "330",
        "pm",
        "a",
        "m",
        "noon",
        "no",
        "not",
        "can't",
        "next",
        "week",
        "this",
        "coming",
        "from",
        "two",
        "to",
        "weeks",
        "in",
        "today",
        "tomorrow",
        "or",
        "and",
        ",",
        ".",
        "?",
        "dr.",
        "Chen",
        "with",
        "for",
        "my",
        "son",
        "cleaning",
        "$",
        "5/4",
        "2026",
        "12",
        "seven",
        "fifteen",
        "between",
        "one",
        "actually",
        "birth",
        "make",
        "it",
        "same",
        "time",
        "booked",
    ]
)
PROSE = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60)
TURNS = st.lists(
    st.fixed_dictionaries({"speaker": st.sampled_from(["caller", "agent"]), "text": PROSE}),
    max_size=8,
)
MOMENTS = st.none() | st.datetimes(timezones=st.sampled_from([None, UTC]))
ZONES = st.sampled_from(
    [None, CHICAGO, "Europe/London", "Pacific/Kiritimati", "", "../etc", "No/Where"]
)


@given(TURNS, st.none() | st.integers(0, 8), st.none() | PROSE, MOMENTS, ZONES)
def test_whatever_is_said_pieces_are_verbatim_and_no_date_lies_before_the_call(
    turns, settled, summary, at, timezone
):
    found = appointment(turns, settled, summary, at, timezone)
    sources = [turn["text"] for turn in turns] + [summary or ""]
    for name in ("text", "with", "for"):
        if found and name in found:
            assert all(
                any(piece in one for one in sources) for piece in found[name].split(BETWEEN_PIECES)
            )
    if found and "date" in found:
        assert at is not None
        assert date.fromisoformat(found["date"]) >= (at - timedelta(days=1)).date()
    if found and "time" in found:
        assert time.strptime(found["time"], "%H:%M")


@given(PROSE, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_each_reading_of_a_day_is_on_or_after_the_calls(text, today):
    for when in whens(text):
        assert text[when.begin : when.end].strip()
        if when.day:
            assert all(one >= today for one in dates(when.day, Calendar(today)) or ())
        if when.clock:
            assert len(time_of(when.clock) or "00:00") == 5


@pytest.mark.parametrize(
    "piece",
    [
        "tuesday ",
        "3 ",
        "need ",
        "Dr. A ",
        "with A ",
        "a",
        " ",
        ".",
        "no ",
        "at 3 or ",
        "the tenth no ",
        "1:",
        "for my ",
        "\u2019",
        "Dr.",
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(piece):
    def seconds(length):
        turns = [{"speaker": "agent", "text": piece * (length // len(piece))}]
        begun = time.process_time()
        appointment(turns, 0, turns[0]["text"], WEDNESDAY, CHICAGO)
        return time.process_time() - begun

    seconds(1000)
    # Ten times the length; were it the square of it, a hundred times the time.
    assert seconds(50_000) < 40 * max(seconds(5_000), 0.01)
