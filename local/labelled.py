"""Reads labelled conversations: what was said, and whether an appointment was truly booked."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SPEAKERS = ("caller", "agent")


class BadFile(RuntimeError):
    """A file of labelled conversations cannot be read; the message says where."""


@dataclass(frozen=True)
class Labelled:
    """One conversation as a file gives it.

    `booked` None: the words do not settle it. A row about another service than appointments
    (`appointment_domain` false) has `booked` False, whatever else was reserved in it. `batch`
    names the rows that may resemble one another.
    """

    id: str
    source: str
    domain: str
    kind: str
    batch: str
    turns: Sequence[dict[str, Any]]
    summary: str | None
    booked: bool | None
    appointment: dict[str, str] | None
    file: Path
    line: str

    @property
    def words(self) -> dict[str, list[str]]:
        """The texts that a quote may come from, by what a verdict calls its source."""
        return {
            "transcript": [turn["text"] for turn in self.turns],
            "summary": [self.summary] if self.summary else [],
        }


def read(files: Sequence[Path]) -> list[Labelled]:
    """Every conversation of the files. Raises BadFile."""
    rows = [row for file in files for row in _rows(file)]
    if not rows:
        raise BadFile("no conversation in " + ", ".join(map(str, files)))
    return rows


def _rows(file: Path) -> Iterator[Labelled]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{file}: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _row(json.loads(line), file, number, line)
        except (ValueError, KeyError, TypeError) as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise BadFile(f"{file}, line {number}: {said}") from error


def _row(row: Any, file: Path, number: int, line: str) -> Labelled:
    if not isinstance(row, dict):
        raise TypeError("not a JSON object")
    _check(row)
    row_id = str(row.get("id") or f"{file.stem}/{number}")
    other_service = row.get("appointment_domain") is False
    source = str(row.get("source") or file.stem)
    return Labelled(
        id=row_id,
        source=f"{source}, other services" if other_service else source,
        domain=str(row.get("domain") or ""),
        kind=str(row.get("kind") or row.get("subtype") or "no kind"),
        batch=_batch(row_id),
        turns=row["turns"],
        summary=row.get("summary"),
        booked=False if other_service else row["booked"],
        appointment=row.get("appointment"),
        file=file,
        line=line,
    )


def _check(row: dict[str, Any]) -> None:
    if not (row["booked"] is None or isinstance(row["booked"], bool)):
        raise ValueError("booked must be true, false or null")
    if not isinstance(row.get("summary"), str | None):
        raise ValueError("summary must be a text or null")
    if not isinstance(row.get("appointment"), dict | None):
        raise ValueError("appointment must be an object or null")
    if not isinstance(row["turns"], list) or not all(map(_is_turn, row["turns"])):
        raise ValueError("turns must be a list of {speaker: caller or agent, text}")


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, dict)
        and turn.get("speaker") in _SPEAKERS
        and isinstance(turn.get("text"), str)
    )


def _batch(row_id: str) -> str:
    """Conversations of one SGD batch come from one file of the corpus: `sgd:train/28_00089`."""
    return row_id.rpartition("_")[0] if row_id.startswith("sgd:") else row_id
