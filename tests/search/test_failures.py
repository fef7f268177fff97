"""Trials that failed or were skipped are grouped by cause, whatever numbers their reasons hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from composable.core.errors import ArtifactError
from composable.search.failures import alike_in_a_row, run_failures, told
from composable.search.leaderboard import FORMAT
from composable.search.trial import Trial


def trial(number, status="failed", reason="", role="network"):
    return Trial(number, Path(), f"mlp_{number}", role, status=status, reason=reason)


@pytest.fixture
def write(tmp_path):
    def write(number, status, reason, log=""):
        folder = tmp_path / "trials" / str(number)
        folder.mkdir(parents=True)
        facts = {"format": FORMAT, "number": number, "name": f"mlp_{number}", "status": status}
        (folder / "trial.json").write_text(json.dumps(facts | {"reason": reason, "seconds": 1.5}))
        if log:
            (folder / log).write_text("Traceback ...")

    return write


def test_those_of_one_cause_stand_together_and_failures_come_first(tmp_path, write):
    write(0, "done", "")
    write(1, "skipped", "it would take 40 s at least; 3 s are left")
    write(2, "skipped", "it would take 1.5e+3 s at least; 2 s are left")
    write(3, "failed", "RuntimeError: diverged", log="traceback.txt")
    write(4, "skipped", "the time limit came before it began")
    causes = run_failures(tmp_path)
    assert [(one.status, one.count, [each.trial for each in one.trials]) for one in causes] == [
        ("failed", 1, [3]),
        ("skipped", 2, [1, 2]),
        ("skipped", 1, [4]),
    ]
    assert causes[0].trials[0].log.endswith("3/traceback.txt")
    assert (causes[1].cause, causes[1].trials[1].reason[:18]) == (
        "it would take 40 s at least; 3 s are left",
        "it would take 1.5e",
    )


def test_a_run_without_failures_has_none_and_a_damaged_trial_is_named(tmp_path, write):
    write(0, "done", "")
    assert run_failures(tmp_path) == ()
    (tmp_path / "trials" / "0" / "trial.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"trials/0/trial\.json"):
        run_failures(tmp_path)


def test_only_failures_of_one_cause_in_a_row_count_and_skipped_ones_say_nothing():
    full = [trial(n, reason=f"MemoryError: {n} GB") for n in range(1, 4)]
    assert alike_in_a_row([]) == 0
    assert alike_in_a_row(full) == 3
    assert alike_in_a_row([*full, trial(4, "skipped"), trial(5, reason="MemoryError: 9 GB")]) == 4
    assert alike_in_a_row([*full, trial(4, "done")]) == 0
    assert alike_in_a_row([*full, trial(4, reason="ValueError: shapes")]) == 1
    assert alike_in_a_row([*full, trial(4, role="baseline", reason="other")]) == 3


def test_where_nothing_succeeded_the_three_most_frequent_causes_are_told():
    failed = [trial(n, reason="MemoryError: full") for n in range(4)]
    failed += [trial(n, reason="RuntimeError: diverged") for n in range(4, 6)]
    failed += [trial(6, reason="ValueError: a"), trial(7, reason="TypeError: b"), trial(8, "skipped", "late")]
    text = told(failed)
    assert text.startswith("4 times (mlp_0, mlp_1, mlp_2 and 1 more): MemoryError: full; 2 times")
    assert text.endswith("1 other causes")
    assert "late" not in text
