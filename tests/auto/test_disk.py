"""What a run takes on the disk is bounded, and cleaned when it has ended; scores and answers stay."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

import composable
from composable.auto import disk
from composable.auto.disk import folder_bytes
from composable.cli.main import run as command
from composable.core.errors import ArtifactError, ConfigError
from composable.core.machine import MEGABYTE
from composable.training.storage import drop_weights, load_weights, stored_folds, weight_bytes

BUDGET = {"max_trials": 3, "max_epochs": 2}


@pytest.fixture(scope="module")
def csv(tmp_path_factory, make_table):
    path = tmp_path_factory.mktemp("disk") / "cars.csv"
    make_table()[["size", "make", "sold on", "price"]].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, csv):
    return composable.fit(csv, "price", **BUDGET, out=tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "run")
    return composable.Run(tmp_path / "run")


def content(folder):
    """Of every file in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def answering(run):
    """The numbers of the trials that are deployed, and of all networks."""
    trials = {
        int(path.name): json.loads((path / "trial.json").read_text()) for path in run.path.glob("trials/*")
    }
    deployed = run.facts["deployed"]
    members = {one["trial"] for one in trials[deployed].get("members", [])} | {deployed}
    return members, {number for number, one in trials.items() if one["role"] == "network"}


def test_a_dry_run_says_what_would_go_and_touches_nothing(run):
    before = content(run.path)
    found = run.clean(keep=0, dry_run=True)
    assert found
    assert content(run.path) == before


def test_what_is_announced_is_freed_and_scores_and_answers_stay(run, csv, finished):
    deployed, networks = answering(run)
    assert networks - deployed  # something can go
    before = folder_bytes(run.path)
    found = run.clean(keep=0)
    freed = before - folder_bytes(run.path)
    assert freed == pytest.approx(sum(one.bytes for one in found), rel=0.1)
    again = composable.Run(run.path)
    assert again.candidates() == finished.candidates()
    assert again.predict(csv).equals(finished.predict(csv))
    assert again.evaluate(csv) == finished.evaluate(csv)
    assert again.report().path.exists()
    for number in networks - deployed:
        with pytest.raises(ConfigError, match="whose weights were kept"):
            again.predict(csv, trial=number)
    for number in deployed & networks:
        assert np.isfinite(again.predict(csv, trial=number)["prediction"]).all()
    assert run.clean(keep=0) == ()


def test_the_best_few_keep_their_weights(run, csv):
    deployed, networks = answering(run)
    best = next(row["trial"] for row in run.candidates() if row["trial"] in networks - deployed)
    run.clean(keep=1)
    assert np.isfinite(run.predict(csv, trial=best)["prediction"]).all()
    run.clean(keep=0)
    with pytest.raises(ConfigError, match="whose weights were kept"):
        composable.Run(run.path).predict(csv, trial=best)


def test_nothing_else_is_touched(run, tmp_path):
    """Files of the user's own, what lies behind links, a folder named as ours, a trial that hasn't ended."""
    deployed, networks = answering(run)
    other, unfinished = tmp_path / "elsewhere", run.path / "trials" / "77"
    folder = run.path / "trials" / str(min(networks - deployed))
    shutil.copytree(folder, other / "5")
    (run.path / "trials" / "78").symlink_to(other / "5", target_is_directory=True)
    (folder / "fold-99.npz").symlink_to(other / "5" / "fold-0.npz")
    shutil.copytree(folder, unfinished)
    (unfinished / "trial.json").unlink()
    for path in (
        run.path / "dataset" / "mine.txt",
        folder / "notes.npz",
        folder / "checkpoints-0-1" / "a" / "b",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    before = content(other), content(unfinished)
    run.clean(keep=0)
    assert (content(other), content(unfinished)) == before
    assert (run.path / "dataset" / "mine.txt").read_text() == "mine"
    assert (folder / "notes.npz").read_text() == "mine"
    assert (folder / "checkpoints-0-1" / "a" / "b").read_text() == "mine"


def test_copied_rows_and_old_checkpoints_go(run):
    _, networks = answering(run)
    folder = run.path / "trials" / str(min(networks))
    generation = folder / "checkpoints-0-7" / "gen-1"
    generation.mkdir(parents=True)
    (generation / "composable.checkpoint.1").touch()
    (generation / "arrays.npz").write_bytes(b"0" * 1000)
    (run.path / "dataset").mkdir()
    (run.path / "dataset" / "dataset.json").write_text("{}")
    (folder / "begin.npz").write_bytes(b"0" * 10)
    run.clean(keep=99)
    assert not (run.path / "dataset").exists()
    assert not (folder / "checkpoints-0-7").exists()
    assert not (folder / "begin.npz").exists()


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_run_that_has_not_ended_is_refused(run, status):
    facts = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(facts | {"status": status}))
    before = content(run.path)
    with pytest.raises(ConfigError, match="has ended"):
        run.clean()
    assert content(run.path) == before


def test_a_folder_that_is_no_run_is_refused_and_left_as_it_was(tmp_path):
    (tmp_path / "trials").mkdir()
    with pytest.raises(ArtifactError, match=r"run\.json"):
        disk.clean(tmp_path, show=lambda _: True)
    assert [path.name for path in tmp_path.iterdir()] == ["trials"]


def test_a_cleaned_run_goes_on_and_what_has_no_weights_is_not_deployed(run, csv):
    deployed, networks = answering(run)
    run.clean(keep=0)
    stripped = {f"trials/{number}" for number in networks - deployed}
    before = {path: one for path, one in content(run.path).items() if path.startswith(tuple(stripped))}
    more = composable.fit(csv, "price", max_trials=4, max_epochs=2, out=run.path)
    after = content(run.path)
    assert {path: after[path] for path in before if path.endswith(".npz")} == {
        path: one for path, one in before.items() if path.endswith(".npz")
    }  # not trained again
    assert len(more.candidates()) > len(run.candidates()) - 1
    now, _ = answering(more)
    assert not now & (networks - deployed)
    assert any("weights were removed" in notice.text for notice in more.notices)
    assert np.isfinite(more.predict(csv)["prediction"]).all()


def test_dropped_weights_leave_the_predictions_and_say_so_when_they_are_asked_for(run):
    _, networks = answering(run)
    folder = run.path / "trials" / str(min(networks))
    fold = stored_folds(folder)[-1]
    assert load_weights(folder, fold)
    assert weight_bytes(folder, fold) > 0
    drop_weights(folder, fold)
    assert weight_bytes(folder, fold) == 0
    with pytest.raises(ArtifactError, match="removed to free disk"):
        load_weights(folder, fold)


def test_the_verb_says_what_it_frees(run, capsys):
    assert command(["clean", str(run.path), "--keep", "0", "--dry-run"]) == 0
    assert "Would free" in capsys.readouterr().out
    assert command(["clean", str(run.path), "--keep", "0", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["removed"]
    assert answer["bytes"] == sum(one["bytes"] for one in answer["what"]) > 0
    assert command(["clean", str(run.path), "--keep", "0"]) == 0
    assert capsys.readouterr().out == "Nothing to remove.\n"


def test_within_its_bound_a_run_drops_the_worst_weights_and_keeps_every_score(tmp_path, csv, finished):
    """The bound leaves room for what is deployed, not for the weights of all candidates."""
    assert folder_bytes(finished.path) > MEGABYTE
    run = composable.fit(csv, "price", **BUDGET, max_disk=1, out=tmp_path / "run")
    removed = " ".join(notice.text for notice in run.notices if "to keep the run within 1 MB" in notice.text)
    assert folder_bytes(run.path) <= MEGABYTE
    assert {row["model"]: row["validation"] for row in run.candidates()} == {
        row["model"]: row["validation"] for row in finished.candidates()
    }
    dropped = next(row for row in reversed(run.candidates()) if f"trial {row['trial']}, " in removed)
    assert not dropped["deployed"]
    with pytest.raises(ConfigError, match="whose weights were kept"):
        run.predict(csv, trial=dropped["trial"])
    assert np.isfinite(run.predict(csv)["prediction"]).all()


def test_where_only_what_is_deployed_is_left_nothing_more_is_trained(tmp_path, csv, monkeypatch):
    monkeypatch.setattr(disk, "_FREE", 1e-4)
    run = composable.fit(csv, "price", **BUDGET, max_disk=1, out=tmp_path / "run")
    assert any("Nothing more is trained" in notice.text for notice in run.notices)
    rows = run.candidates()
    assert [row["role"] for row in rows if row["deployed"]] == ["network"]
    assert sum(row["role"] == "network" for row in rows) < BUDGET["max_trials"]
    assert run.facts["status"] == "complete"


def test_within_its_memory_a_run_trains_nothing_more_and_goes_on_with_more(tmp_path, csv, finished):
    run = composable.fit(csv, "price", **BUDGET, max_memory=1, max_disk=99, out=tmp_path / "run")
    assert any("of 1 that it may" in notice.text for notice in run.notices)
    assert [row["role"] for row in run.candidates() if row["deployed"]] == ["network"]
    assert run.facts["status"] == "complete"
    more = composable.fit(csv, "price", **BUDGET, max_memory=10**6, max_disk=99, out=tmp_path / "run")
    assert {row["model"]: row["validation"] for row in more.candidates()} == {
        row["model"]: row["validation"] for row in finished.candidates()
    }
