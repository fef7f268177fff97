"""The same command again: it continues, says that it is done, or shows what differs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import composable
from composable.auto.trials import Search
from composable.core.errors import ArtifactError, ConfigError, SetupError
from composable.core.workspace import LOCK, locked
from composable.search.trial import Trial

NETWORKS = {
    "max_epochs": 2,
    "exclude": ["boosted_trees", "extra_trees"],
}  # the third one is trained step by step
BUDGET = {"max_trials": 3, **NETWORKS}
SMALL = {"max_trials": 1, **NETWORKS}


def scores(run):
    """The leaderboard without what a clock measures."""
    return [
        {name: value for name, value in row.items() if name not in ("seconds", "latency_ms", "bytes")}
        for row in run.candidates()
    ]


def events(run_path):
    return [json.loads(line) for line in (run_path / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def stop_at(event, **facts):
    """A progress function that presses Ctrl-C at an event."""

    def progress(seen):
        if seen["event"] == event and facts.items() <= seen.items():
            raise KeyboardInterrupt

    return progress


@pytest.fixture(scope="module")
def through(tmp_path_factory, module_csv):
    """A run of three networks that nothing stopped; the second is solved for."""
    return composable.fit(module_csv, "price", **BUDGET, out=tmp_path_factory.mktemp("through") / "run")


@pytest.fixture(scope="module")
def small(tmp_path_factory, module_csv):
    """A finished run of one network."""
    return composable.fit(module_csv, "price", **SMALL, out=tmp_path_factory.mktemp("small") / "run")


@pytest.fixture
def copied(tmp_path, small):
    """The same in a folder that a test may change."""
    return Path(shutil.copytree(small.path, tmp_path / "run"))


@pytest.fixture(scope="module")
def module_csv(tmp_path_factory, make_table):
    path = tmp_path_factory.mktemp("data") / "cars.csv"
    make_table()[["size", "make", "sold on", "price"]].to_csv(path, index=False)
    return path


def assert_equal(run, other, csv):
    assert scores(run) == scores(other)
    assert np.array_equal(run.predict(csv).to_numpy(), other.predict(csv).to_numpy())


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory, module_csv):
    """A run that Ctrl-C stopped when the third network had begun."""
    out = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.raises(KeyboardInterrupt):
        composable.fit(module_csv, "price", **BUDGET, out=out, progress=stop_at("epoch", trial=4, epoch=1))
    return out


def test_ctrl_c_keeps_the_best_model_and_a_report_that_says_so(interrupted, module_csv):
    run = composable.Run(interrupted)
    assert run.facts["status"] == "interrupted"
    assert [row["model"] for row in run.candidates() if row["deployed"]] == ["kernel"]
    assert np.isfinite(run.predict(module_csv)["prediction"]).all()
    assert (interrupted / "trials" / "1" / "fold-7.npz").exists()


def test_the_report_of_a_stopped_run_says_that_it_is_incomplete(interrupted):
    assert "Incomplete: the run was interrupted" in (interrupted / "report.html").read_text(encoding="utf-8")


def test_the_same_command_continues_and_ends_as_if_never_stopped(interrupted, through, module_csv):
    before = len(events(interrupted))
    run = composable.fit(module_csv, "price", **BUDGET, out=interrupted)
    assert run.facts["status"] == "complete"
    assert_equal(run, through, module_csv)
    trained = [(e["trial"], e["fold"]) for e in events(interrupted)[before:] if e["event"] == "epoch"]
    assert set(trained) == {(4, fold) for fold in range(8)}  # what was whole isn't trained again


def test_the_same_seed_and_trials_give_the_same_bits_wherever_the_run_lies(tmp_path, small, module_csv):
    assert_equal(composable.fit(module_csv, "price", **SMALL, out=tmp_path / "other"), small, module_csv)


def test_another_seed_gives_another_model(tmp_path, small, module_csv):
    run = composable.fit(module_csv, "price", **SMALL, seed=1, out=tmp_path / "run")
    first, other = (next(row for row in scores(r) if row["model"] == "linear") for r in (small, run))
    assert first["validation"] != other["validation"]


def test_a_finished_run_is_done_without_training(through, module_csv):
    seen = []
    run = composable.fit(module_csv, "price", **BUDGET, out=through.path, progress=seen.append)
    assert seen == [{"event": "end", "status": "already complete", "seconds": 0.0}]
    assert run.facts == composable.Run(through.path).facts
    fewer = composable.fit(module_csv, "price", **SMALL, out=through.path, progress=seen.append)
    assert len(seen) == 2
    assert scores(fewer) == scores(through)


def test_more_trials_continue_a_finished_run(copied, through, module_csv):
    before = len(events(copied))
    run = composable.fit(module_csv, "price", **BUDGET, out=copied)
    assert_equal(run, through, module_csv)
    assert {e["trial"] for e in events(copied)[before:] if e["event"] == "epoch"} == {4}


def test_ctrl_c_while_continuing_keeps_the_model_that_was_there(copied, module_csv):
    with pytest.raises(KeyboardInterrupt):
        composable.fit(module_csv, "price", **BUDGET, out=copied, progress=stop_at("trial_end", trial=0))
    run = composable.Run(copied)
    assert [row["model"] for row in run.candidates() if row["deployed"]] == ["linear"]
    assert np.isfinite(run.predict(module_csv)["prediction"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "options.seed: was 0, now 5"),
        ({"metric": "mae"}, 'options.metric: was null, now "mae"'),
        ({"drop": ["make"]}, 'options.drop: was [], now ["make"]'),
        ({"max_epochs": 3}, "options.max_epochs: was 2, now 3"),
        ({"split": "random"}, 'options.split: was "auto", now "random"'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_changed_option_is_refused_with_the_difference(through, module_csv, change, message):
    with pytest.raises(ConfigError) as refused:
        composable.fit(module_csv, "price", **BUDGET | change, out=through.path)
    assert refused.value.received == message
    assert "--out" in refused.value.remedy


def test_changed_data_are_refused(through, module_csv, tmp_path):
    changed = tmp_path / "cars.csv"
    changed.write_text(module_csv.read_text().replace("audi", "opel", 1))
    with pytest.raises(ConfigError, match=r"data\.fingerprint"):
        composable.fit(changed, "price", **BUDGET, out=through.path)


def test_changed_sample_weights_are_changed_data(through, module_csv):
    with pytest.raises(ConfigError, match=r"data\.fingerprint"):
        composable.fit(module_csv, "price", **BUDGET, out=through.path, sample_weight=np.ones(80))


def test_a_changed_schema_is_refused(tmp_path, through, module_csv):
    with pytest.raises(ConfigError, match="schema: was null"):
        composable.fit(module_csv, "price", **BUDGET, out=through.path, schema=through.path / "schema.json")


def test_another_version_is_refused(through, module_csv, monkeypatch):
    monkeypatch.setattr("composable.auto.record.versions", lambda: {"keras": "99"})
    with pytest.raises(ConfigError, match=r'versions\.keras: was ".*", now "99"'):
        composable.fit(module_csv, "price", **BUDGET, out=through.path)


def test_another_version_goes_on_where_it_is_allowed_and_is_noted(copied, module_csv, monkeypatch):
    before = composable.Run(copied).facts["versions"]
    for module in ("record", "fit"):
        monkeypatch.setattr(f"composable.auto.{module}.versions", lambda: before | {"keras": "99"})
    more = {"max_trials": 2, "max_epochs": 2, "out": copied}
    with pytest.raises(ConfigError, match="--allow-other-versions"):
        composable.fit(module_csv, "price", **more)
    run = composable.fit(module_csv, "price", **more, allow_other_versions=True)
    assert any("versions.keras: was" in notice.text for notice in run.notices)
    assert run.facts["earlier_versions"] == [before]


def test_two_fits_at_once_do_not_write_one_folder(copied, module_csv):
    with locked(copied), pytest.raises(ArtifactError, match=f"process {os.getpid()} on"):
        composable.fit(module_csv, "price", max_trials=2, max_epochs=2, out=copied)
    composable.fit(module_csv, "price", **SMALL, out=copied)
    assert not (copied / LOCK).exists()


def test_a_lock_that_a_killed_process_left_behind_blocks_nobody(copied, module_csv):
    (copied / LOCK).write_text("process 1 on elsewhere")
    assert composable.fit(module_csv, "price", **SMALL, out=copied).facts["status"] == "complete"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": "composable.trial/99"}'])
def test_a_damaged_trial_is_named_with_what_to_do(copied, content):
    damaged = copied / "trials" / "1" / "trial.json"
    damaged.write_text(content)
    with pytest.raises(ArtifactError, match=r"trials/1/trial\.json") as refused:
        composable.Run(copied).candidates()
    assert "remove its folder" in refused.value.remedy


def test_a_folder_of_something_else_is_left_alone(tmp_path, module_csv):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(composable.ArtifactError, match="new, empty, or a run"):
        composable.fit(module_csv, "price", **BUDGET, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "composable.run/99"}'])
def test_a_run_of_another_version_is_left_alone(tmp_path, module_csv, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(composable.ArtifactError, match="run of this version"):
        composable.fit(module_csv, "price", **BUDGET, out=tmp_path)
    assert (tmp_path / "run.json").read_text() == content


def test_without_out_another_fit_gets_a_numbered_folder(tmp_path, copied, module_csv, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    copied.rename(tmp_path / "runs" / "cars")
    same = composable.fit(module_csv, "price", **SMALL)
    other = composable.fit(module_csv, "price", **SMALL, seed=3)
    assert [run.path.as_posix() for run in (same, other)] == ["runs/cars", "runs/cars-2"]


def test_a_fit_that_was_refused_before_training_does_not_block_its_folder(tmp_path, module_csv):
    """The user reads the error, adds the flag, and calls again."""
    out = tmp_path / "run"
    with pytest.raises(composable.DataError):
        composable.fit(module_csv, "price", **BUDGET, out=out, split="group:sizes")
    assert json.loads((out / "run.json").read_text())["status"] == "failed"
    run = composable.fit(module_csv, "price", max_trials=1, max_epochs=1, out=out, split="group:size")
    assert run.facts["status"] == "complete"


@pytest.mark.parametrize("floor", [np.nan, 1.0, 0.9, 1.1])
def test_an_ensemble_wins_after_its_member_whatever_an_earlier_session_had_deployed(floor, monkeypatch):
    """Its score may be a little worse than its best member's: a run that goes on deploys it all the same."""
    scorer = SimpleNamespace(problem=SimpleNamespace(metric="rmse"))
    recorder = SimpleNamespace(happened=lambda *_, **__: None)
    search = object.__new__(Search)
    search.floor, search.best, search.deployed = floor, None, None
    search.book = SimpleNamespace(scorer=scorer, recorder=recorder)
    monkeypatch.setattr(Search, "_put_to_use", lambda self, trial: None)
    worse, member = (Trial(n, Path(), "mlp", "network", score=score) for n, score in ((1, 2.0), (2, 1.0)))
    ensemble = Trial(3, Path(), "ensemble", "ensemble", score=1.05, members=((member, 0.6), (worse, 0.4)))
    search._deploy_if_better(worse)
    assert search.deployed is (worse if np.isnan(floor) else None)
    for trial in (member, ensemble):
        search._deploy_if_better(trial)
    assert search.deployed is (None if floor == 0.9 else ensemble)


def died(through, folder, files):
    """A run as a process leaves it that died while it trained the third network, as two had done before."""
    shutil.copytree(through.path, folder)
    trial = folder / "trials" / "4"
    for path in (trial / "trial.json", *trial.glob("fold-*.npz")):
        path.unlink()
    facts = json.loads((trial / "candidate.json").read_text())
    (trial / "candidate.json").write_text(json.dumps(facts | {"deaths": 2, "training": True, "files": files}))
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"status": "running"}))
    return folder


def test_what_the_process_dies_of_again_and_again_is_not_tried_for_ever(tmp_path, through, module_csv):
    folder = died(through, tmp_path / "run", files=[])
    run = composable.fit(module_csv, "price", **BUDGET, out=folder)
    rows = {row["model"]: row for row in run.candidates()}
    assert rows["tabm_mini"]["status"] == "failed"
    assert rows["tabm_mini"]["reason"] == "the process died 3 times while it was trained"
    assert run.facts["status"] == "complete"


def test_a_training_that_gets_further_each_time_goes_on(tmp_path, through, module_csv):
    folder = died(through, tmp_path / "run", files=["checkpoints-0-7/gen-1"])
    run = composable.fit(module_csv, "price", **BUDGET, out=folder)
    assert_equal(run, through, module_csv)
    assert any("died 1 times" in notice.text for notice in run.notices)


def finished(run):
    """The content of the networks of each trial that came to its end."""
    ended = [
        path for path in run.glob("trials/*/trial.json") if json.loads(path.read_text())["status"] == "done"
    ]
    return {path: path.read_bytes() for trial in ended for path in trial.parent.glob("fold-*.npz")}


def test_a_kill_before_anything_was_written_leaves_a_folder_that_can_be_used(tmp_path, small, module_csv):
    """The first file of a run is the one by which it is known."""
    seen = []

    def first(event):
        seen.append(sorted(path.name for path in (tmp_path / "run").iterdir()))

    (tmp_path / "run").mkdir()
    for name in (LOCK, "run.json.tmp"):
        (tmp_path / "run" / name).write_text("{")
    run = composable.fit(module_csv, "price", **SMALL, out=tmp_path / "run", progress=first)
    assert seen[0] == ["events.jsonl", "run.json", LOCK]
    assert_equal(run, small, module_csv)


def test_a_full_disk_is_told_with_what_to_do_and_the_same_command_goes_on(
    tmp_path, copied, through, module_csv, monkeypatch
):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("composable.training.storage.write_atomically", full)
        with pytest.raises(SetupError) as refused:
            composable.fit(module_csv, "price", **BUDGET, out=copied)
    assert refused.value.exit_code == 3
    assert str(copied) in refused.value.received
    assert "bytes are free" in refused.value.received
    assert_equal(composable.fit(module_csv, "price", **BUDGET, out=copied), through, module_csv)


@pytest.mark.slow
def test_sigterm_ends_a_fit_as_ctrl_c_does(tmp_path, module_csv):
    out = tmp_path / "run"
    child = subprocess.Popen(
        [sys.executable, "-m", "composable", "fit", str(module_csv), "--target", "price", "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (out / "bundle").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    child.terminate()
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "the same command continues" in said
    assert composable.Run(out).facts["status"] == "interrupted"


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_model_that_loads_or_none(tmp_path, module_csv):
    """SIGKILL, as when memory is full: the bundle is whole or absent, and the run goes on.

    Nothing that had finished is lost, trained again or there twice (`benchmarks/kills.py` kills more often).
    """
    out = tmp_path / "run"
    command = [
        sys.executable, "-m", "composable", "fit", str(module_csv), "--target", "price", "--max-trials", "3",
        "--max-epochs", "6", "--out", str(out),
    ]  # fmt: skip
    random = np.random.default_rng(0)
    for _ in range(8):
        before = finished(out)
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
        )
        deadline = time.monotonic() + 60
        while not (out / "events.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(random.uniform(0.0, 6.0))
        child.send_signal(signal.SIGKILL)
        child.wait()
        after = finished(out)
        assert {path: after.get(path) for path in before} == before
        if (out / "bundle").exists():
            assert np.isfinite(composable.load(out / "bundle").predict(module_csv)["prediction"]).all()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    clean = composable.fit(module_csv, "price", max_trials=3, max_epochs=6, out=tmp_path / "clean")
    assert_equal(composable.Run(out), clean, module_csv)
    numbers = sorted(int(path.name) for path in out.glob("trials/*"))
    assert numbers == list(range(len(clean.candidates())))
