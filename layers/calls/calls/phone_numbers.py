"""Telephone numbers: the key of a line, from any way of writing its number."""

import re


def line_key(number: str) -> str:
    """The key under which a line is stored, from any way of writing it.

    `+12175550100`, `12175550100`, `2175550100` and `(217) 555-0100` all give `+12175550100`:
    ten digits without a plus are North American, all else carries its country code.
    """
    digits = re.sub(r"[^0-9]", "", number)
    national = len(digits) == 10 and not number.strip().startswith("+")
    return f"+1{digits}" if national else f"+{digits}"
