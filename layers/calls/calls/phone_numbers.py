"""Telephone numbers: the key of a line, and what may be dialled."""

import re

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def line_key(number: str) -> str:
    """The key under which a line is stored, from any way of writing it.

    `+12175550100`, `12175550100`, `2175550100` and `(217) 555-0100` all give `+12175550100`:
    ten digits are North American, everything else carries its country code.
    """
    digits = re.sub(r"[^0-9]", "", number)
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"


def is_e164(number: str) -> bool:
    return bool(E164.fullmatch(number))
