"""The verdict's figures are what their definitions say, and a bad file is named by its line."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local import judging, labelled, scores
from local.evaluation import report
from local.judging import Judged
from local.scores import Outcome
from tests.unit.conftest import ROOT

TURNS = [
    {"speaker": "agent", "text": "Tuesday at nine is free."},
    {"speaker": "caller", "text": "I'll take it."},
    {"speaker": "agent", "text": "You are booked for Tuesday at nine."},
]
ROW = {"id": "lab/1", "turns": TURNS, "summary": None, "booked": True}
# 3 hits, 1 false alarm, 2 misses (one of them unknown), 4 rejections (one of them unknown).
TALLY = Counter(
    {
        Outcome(True, 0.9, True): 3,
        Outcome(True, 0.8, False): 1,
        Outcome(False, 0.6, True): 1,
        Outcome(None, 0.5, True): 1,
        Outcome(False, 1.0, False): 3,
        Outcome(None, 0.5, False): 1,
    }
)


def written(folder: Path, *rows: Any) -> Path:
    file = folder / "lab.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n")
    return file


def read_one(folder: Path, **changes: Any) -> labelled.Labelled:
    (row,) = labelled.read([written(folder, ROW | changes)])
    return row


def judged(row: labelled.Labelled, booked: bool | None = True, **changes: Any) -> Judged:
    quote = {"quote": "You are booked", "source": "transcript", "speaker": "agent"}
    verdict = {"booked": booked, "confidence": 0.9, "reason": "confirmed", "engine": "test-1"}
    return Judged(row, verdict | {"evidence": [quote], "appointment": None} | changes)


def evaluated(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.evaluation", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


class TestScores:
    @pytest.mark.parametrize(
        ("name", "by_hand"),
        [
            ("F1", 2 * 3 / (2 * 3 + 1 + 2)),
            ("MCC", (3 * 4 - 1 * 2) / (4 * 5 * 5 * 6) ** 0.5),
            ("precision", 3 / 4),
            ("recall", 3 / 5),
            ("specificity", 4 / 5),
            ("unknown", 2 / 10),
            ("Brier", (3 * 0.1**2 + 0.8**2 + 0.6**2 + 3 * 0) / 8),
            ("ECE", (3 * 0.1 + 0.8 + 0.6 + 3 * 0) / 8),
        ],
    )
    def test_are_those_computed_by_hand(self, name: str, by_hand: float) -> None:
        assert scores.scores(TALLY)[name] == pytest.approx(by_hand)

    def test_of_calibration_weigh_gains_against_losses_within_a_bin(self) -> None:
        tally = {Outcome(True, 0.75, True): 3, Outcome(True, 0.75, False): 1}

        assert scores.scores(tally)["ECE"] == pytest.approx(0)

    def test_take_an_unsettled_truth_for_not_booked_and_not_for_calibration(self) -> None:
        found = scores.scores({Outcome(True, 0.9, None): 1, Outcome(False, 0.9, None): 3})

        assert found["specificity"] == 3 / 4
        assert (found["Brier"], found["ECE"]) == (None, None)

    def test_that_nothing_defines_are_none(self) -> None:
        found = scores.scores({Outcome(None, 0.5, False): 2})

        assert {name for name, value in found.items() if value is None} == {
            "F1",
            "MCC",
            "precision",
            "recall",
            "Brier",
            "ECE",
        }

    def test_of_one_answer_to_everything_show_no_correlation(self) -> None:
        tally = {Outcome(True, 0.9, True): 5, Outcome(True, 0.9, False): 5}

        assert scores.scores(tally)["MCC"] == 0

    @pytest.mark.parametrize(
        ("said", "truth", "right"),
        [
            (True, True, True),
            (True, False, False),
            (False, False, True),
            (False, True, False),
            (True, None, False),
            (False, None, True),
            (None, None, True),
        ],
    )
    def test_call_right_what_is_right(
        self, said: bool | None, truth: bool | None, right: bool
    ) -> None:
        assert Outcome(said, 0.9, truth).is_right is right


class TestIntervals:
    def test_hold_the_figure_and_are_the_same_each_time(self) -> None:
        rows = [{outcome: 1} for outcome, times in TALLY.items() for _ in range(times)] * 10

        found = scores.intervals(rows)

        assert found == scores.intervals(rows)
        for name, value in scores.scores(TALLY).items():
            low, high = found[name]
            if name != "ECE":  # it is never below 0, so that resamples lie above it
                assert value is not None
                assert low < value < high

    def test_are_wider_when_rows_of_a_batch_resemble_one_another(self) -> None:
        right, wrong = Outcome(True, 0.9, True), Outcome(False, 0.9, True)
        single = scores.intervals([{right: 1}, {wrong: 1}] * 50)["recall"]
        grouped = scores.intervals([{right: 10}, {wrong: 10}] * 5)["recall"]

        assert grouped[1] - grouped[0] > 2 * (single[1] - single[0])

    def test_of_a_single_batch_are_not_given(self) -> None:
        assert scores.intervals([TALLY]) == {}


class TestLabelledRows:
    def test_of_one_sgd_file_are_one_batch(self, tmp_path: Path) -> None:
        assert read_one(tmp_path, id="sgd:train/28_00089").batch == "sgd:train/28"
        assert read_one(tmp_path, id="other_00089").batch == "other_00089"

    def test_about_another_service_are_no_booking(self, tmp_path: Path) -> None:
        row = read_one(tmp_path, source="sgd", appointment_domain=False)

        assert row.booked is False
        assert row.source == "sgd, other services"

    def test_are_told_apart_by_kind_or_subtype(self, tmp_path: Path) -> None:
        assert read_one(tmp_path, kind="voicemail").kind == "voicemail"
        assert read_one(tmp_path, subtype="success").kind == "success"

    def test_are_named_for_their_file_where_it_does_not_say(self, tmp_path: Path) -> None:
        row = read_one(tmp_path, id=None)

        assert (row.id, row.source) == ("lab/1", "lab")

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ("{", "Expecting property name"),
            ("", "Expecting value"),
            ("[]", "not a JSON object"),
            ({"booked": True}, "'turns' is missing"),
            ({"turns": []}, "'booked' is missing"),
            (ROW | {"booked": "yes"}, "booked must be"),
            (ROW | {"turns": [{"speaker": "nurse", "text": "Hello"}]}, "turns must be"),
            (ROW | {"turns": [{"speaker": "caller"}]}, "turns must be"),
            (ROW | {"summary": 7}, "summary must be"),
            (ROW | {"appointment": "Tuesday"}, "appointment must be"),
        ],
    )
    def test_that_are_bad_are_named_by_their_line(
        self, tmp_path: Path, bad: Any, said: str
    ) -> None:
        file = written(tmp_path, ROW, bad)

        with pytest.raises(labelled.BadFile, match=f"lab.jsonl, line 2: .*{said}"):
            labelled.read([file])

    def test_must_be_there(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty.jsonl"
        empty.touch()

        for file in (empty, tmp_path / "missing.jsonl"):
            with pytest.raises(labelled.BadFile, match=file.name):
                labelled.read([file])


class TestTheReport:
    @pytest.mark.parametrize(
        ("quote", "source", "lost"),
        [
            ("You are booked", "transcript", False),
            ("I'll take it. You are booked", "transcript", True),
            ("you are booked", "transcript", True),
            ("", "transcript", True),
            ("You are booked", "summary", True),
            ("booked Tuesday", "summary", False),
        ],
    )
    def test_finds_quotes_that_are_not_verbatim(
        self, tmp_path: Path, quote: str, source: str, lost: bool
    ) -> None:
        row = read_one(tmp_path, summary="They booked Tuesday.")

        one = judged(row, evidence=[{"quote": quote, "source": source}])

        assert one.lost_quotes == [quote] * lost
        assert any(f"{int(lost)} of them not verbatim" in line for line in report([one], 1))

    def test_shows_the_most_confident_errors_first(self, tmp_path: Path) -> None:
        truly_not = read_one(tmp_path, booked=False, kind="message")
        wrong = [judged(truly_not, confidence=c) for c in (0.6, 0.97, 0.8)]
        right = judged(truly_not, False, confidence=0.99)
        unknown = judged(read_one(tmp_path), None)

        told = "\n".join(report([*wrong, right, unknown], errors=2))

        assert "3 wrong verdicts, 1 bookings left unknown" in told
        assert told.index("booked at 0.97 (confirmed), truly not booked") < told.index("at 0.80")
        assert "at 0.60" not in told
        assert "“You are booked” (agent)" in told

    def test_measures_each_kind_of_which_there_are_some(self, tmp_path: Path) -> None:
        kinds = ["voicemail"] * 5 + ["refill", "wrong number"]

        told = list(report([judged(read_one(tmp_path, kind=kind)) for kind in kinds], 0))

        rows = {line.split("  ")[1]: line.split()[-10] for line in told if "lab: " in line}
        assert rows == {"lab: voicemail": "5", "lab: rarer kinds": "2"}

    def test_measures_each_domain_where_rows_name_one(self, tmp_path: Path) -> None:
        told = "\n".join(report([judged(read_one(tmp_path, domain="dentist"))], 0))

        assert "by domain" in told
        assert "lab: dentist" in told

    def test_compares_what_was_booked_with_the_label(self, tmp_path: Path) -> None:
        row = read_one(tmp_path, appointment={"date": "2026-03-10"})
        given = {"text": "the tenth at two", "date": "2026-03-10", "time": "14:00"}

        told = "\n".join(report([judged(row, appointment=given)], 0))

        assert "dates of 1 booked: 1 right" in told
        assert "times of 1 booked: 1 given where the label leaves it open" in told


class TestTheCommand:
    def test_judges_every_row_and_shows_each_source_and_kind(self, tmp_path: Path) -> None:
        other = ROW | {"id": "lab/2", "booked": False, "turns": TURNS[:1], "kind": "cut-off"}

        told = evaluated(written(tmp_path, ROW | {"kind": "plain"}, other))

        assert told.returncode == 0, told.stderr
        assert "2 of 2 judged" in told.stdout
        for word in ("F1", "MCC", "ECE", "by source", "lab: rarer kinds", "0 of them not verbatim"):
            assert word in told.stdout

    def test_judges_each_row_once_by_an_engine_that_learnt_without_it(self, tmp_path: Path) -> None:
        weights = (ROOT / "layers/calls/calls/likelihood.json").read_bytes()
        rows = [ROW | {"id": f"lab/{n}", "booked": bool(n % 2)} for n in range(9)]

        told = evaluated("--folds", "3", written(tmp_path, *rows))

        assert told.returncode == 0, told.stderr
        assert "3 of 3 folds learnt and judged" in told.stdout
        assert re.search(r"^all +9 +4 ", told.stdout, re.MULTILINE)
        assert (ROOT / "layers/calls/calls/likelihood.json").read_bytes() == weights

    def test_keeps_a_batch_on_one_side(self) -> None:
        batches = {f"sgd:train/{n}" for n in range(10)}

        folds = judging._fold_of_batches(batches, 3)

        assert folds.keys() == batches
        assert Counter(folds.values()) == {0: 4, 1: 3, 2: 3}

    def test_says_what_is_wrong_with_a_file(self, tmp_path: Path) -> None:
        told = evaluated(written(tmp_path, ROW, "nonsense"))

        assert told.returncode == 1
        assert told.stderr.startswith(f"{tmp_path}/lab.jsonl, line 2: ")
        assert "Traceback" not in told.stderr
