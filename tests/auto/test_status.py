"""How far a fit is, asked from elsewhere while it goes on, after it ended, after it was killed."""

from __future__ import annotations

import json
import os

import pytest

import composable
from composable.auto.status import run_status
from composable.cli.main import run as command
from composable.core.errors import ArtifactError
from composable.core.workspace import LOCK


@pytest.fixture(scope="module")
def watched(tmp_path_factory, make_table):
    """A fit without a time limit, and what was told of it at the beginning of each trial."""
    folder, seen = tmp_path_factory.mktemp("watched") / "run", []

    def ask(event):
        if event["event"] == "trial_start":
            seen.append(run_status(folder))

    data = make_table()[["size", "make", "price"]]
    composable.fit(data, "price", max_trials=3, max_epochs=1, seed=3, out=folder, progress=ask)
    return folder, seen


def test_while_a_fit_goes_on_it_says_what_is_tried_and_how_much_is_to_come(watched):
    _, seen = watched
    assert {one.status for one in seen} == {"running"}
    assert f"process {os.getpid()} on" in seen[0].text
    texts = " ".join(one.text for one in seen)
    assert all(f"candidate {number} of at most 3" in texts for number in (1, 2, 3))
    assert seen[0].left is None  # nothing is known yet of how long a candidate takes
    assert seen[-1].left > 0
    assert "left" in seen[-1].text


def test_afterwards_it_says_how_it_ended(watched, capsys):
    folder, _ = watched
    assert command(["status", str(folder)]) == 0
    assert f"{folder} is complete after" in capsys.readouterr().out
    assert command(["status", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["process"], told["left"]) == ("complete", "", None)
    assert "rmse" in told["best"]


def test_a_process_that_is_gone_without_a_word_is_told(watched, tmp_path):
    folder, _ = watched
    (tmp_path / "run.json").write_text((folder / "run.json").read_text().replace('"complete"', '"running"'))
    (tmp_path / "events.jsonl").write_text((folder / "events.jsonl").read_text() + '{"time": 3, "eve')
    (tmp_path / LOCK).write_text("process 1 on elsewhere")
    assert run_status(tmp_path).status == "stopped"
    assert "the same command continues it" in run_status(tmp_path).text


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ArtifactError):
        run_status(tmp_path)
