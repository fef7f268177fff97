"""What a user sees while a fit goes on."""

import io
import re

import pytest

from composable.auto import progress
from composable.auto.progress import FitState, Progress, after, milestone, show_progress, status_line
from composable.core.terminal import duration, number, plain, size, whole


def test_the_status_line_has_stage_epoch_best_and_time_left():
    state = FitState()
    for event in (
        {"event": "problem", "metric": "rmse", "heads": []},
        {"event": "saved", "trial": 1, "name": "mlp", "score": 2400.0},
        {"event": "trial_start", "trial": 2, "name": "tabm_mini", "fold": 0, "folds": 8},
        {"event": "epoch", "trial": 2, "fold": 1, "epoch": 12, "loss": 0.1, "held_out": 0.0965},
    ):
        state = after(state, event, 5.0)
    line = status_line(state, spent=26.0, limit=60.0, now=5.0)
    assert (
        line == "trial 2: tabm_mini, 8 networks side by side | epoch 12, loss 0.0965 | best: mlp, rmse 2400 "
        "| 34 s left"
    )
    assert status_line(state, spent=26.0, limit=None, now=5.0).endswith("| 26 s spent")


@pytest.mark.parametrize(
    ("seconds", "at_least", "now", "end"),
    [
        (300.0, False, 65.0, "candidate 3 of at most 9 | 26 s spent, about 4 min left"),
        (300.0, True, 65.0, "candidate 3 of at most 9 | 26 s spent, at least 4 min left"),
        (300.0, False, 305.0, "candidate 3 of at most 9 | 26 s spent"),
        (None, True, 65.0, "candidate 3 of at most 9 | 26 s spent"),
    ],
    ids=["foreseen", "hardly foreseen", "longer than foreseen", "unknown"],
)
def test_without_a_time_limit_the_status_line_says_how_much_is_to_come(seconds, at_least, now, end):
    facts = {"begun": 2, "left": 7, "seconds": seconds, "at_least": at_least}
    state = after(FitState(), {"event": "outlook", **facts}, 5.0)
    state = after(state, {"event": "trial_start", "trial": 4, "name": "mlp", "folds": 8}, 6.0)
    assert status_line(state, spent=26.0, limit=None, now=now).endswith(end)


def test_a_failed_trial_tells_its_reason():
    event = {
        "event": "trial_end",
        "trial": 2,
        "name": "mlp",
        "status": "failed",
        "reason": "diverged\x07",
        "score": None,
    }
    assert milestone(event, "rmse") == "Trial 2, mlp failed: diverged\\x07."


def test_an_event_of_a_later_version_is_ignored():
    assert after(FitState(), {"event": "applause"}, 0.0) == FitState()
    assert milestone({"event": "applause"}, "rmse") == ""


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    lines = []
    shown = Progress(lines.append, 60.0, started=0.0, pause=10.0)
    for second in range(25):
        now[0] = float(second)
        shown({"event": "epoch", "trial": 1, "fold": 0, "epoch": second, "loss": 1.0, "held_out": 1.0})
    assert [re.search(r"epoch (\d+)", line).group(1) for line in lines] == ["10", "20"]
    assert lines[-1].endswith("40 s left")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(("term", "live"), [("xterm", True), ("dumb", False)])
def test_a_terminal_gets_a_live_line_unless_it_is_dumb(monkeypatch, term, live):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", term)
    with show_progress(60.0, progress.time.monotonic()) as shown:
        shown({"event": "read", "rows": 10, "columns": 2})
        shown({"event": "end", "status": "complete", "seconds": 1.0})
    assert "Read 10 rows, 2 columns." in stream.getvalue()
    assert ("\x1b[" in stream.getvalue()) == live
    assert shown.state.status == "complete"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(2123.456), "2123"),
        (number(21234.56), "21,235"),
        (number(0.123456), "0.1235"),
        (number(None), "-"),
        (whole(9856), "9,856"),
        (whole(None), "-"),
        (number(float("inf")), "-"),
        (size(43_412), "43.4 kB"),
        (size(12_000_000), "12.0 MB"),
        (duration(61), "61 s"),
        (duration(600), "10 min"),
        (duration(9000), "2.5 h"),
        (plain("a\u202eb\nc"), "a\\u202eb\\nc"),
        (plain("Köln 猫"), "Köln 猫"),
    ],
)
def test_words(shown, expected):
    assert shown == expected
