"""Killed at any operation on the disk, a checkpoint is the old or the new one, whole (C1, C8, C11-C13)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from composable.training.checkpointer import Checkpoints
from composable.training.generation import DiskFullError, StageResult, commit, committed
from composable.training.identity import Identity, State
from tests.training.failing_disk import FULL, KILL, POWER, TORN, Disk

IDENTITY = Identity((("dense", (3,), "float32"),), {"keras": "3.15.1"})
CRASHES = pytest.mark.parametrize("failure", [KILL, TORN, POWER])


def state(epoch):
    return State({"dense": np.full(3, epoch, "float32"), "step": np.asarray(epoch)}, {"epoch": epoch})


def epoch_of(found):
    """The epoch of a state, if all of it is of one epoch."""
    epoch = found.facts["epoch"]
    assert np.array_equal(found.arrays["dense"], np.full(3, epoch))
    assert found.arrays["step"] == epoch
    return epoch


def checkpoints(folder):
    return Checkpoints(folder, IDENTITY, notify=lambda _: None)


def saved(folder, epochs, *, best):
    """A folder of checkpoints as after these epochs, written without a failure."""
    ours = checkpoints(folder)
    with Disk():
        for epoch in epochs:
            ours.save(state(epoch), best=epoch == best)
    return folder


def crashes(tmp_path, prepare, act, failure):
    """Do `act` in a folder of its own for every operation it takes, failing there; yield what is left."""
    prepare(tmp_path / "before")
    fatal, failed = 0, True
    while failed:
        folder = tmp_path / str(fatal)
        if (tmp_path / "before").exists():
            shutil.copytree(tmp_path / "before", folder)
        disk = Disk(fatal=fatal, failure=failure)
        with disk:
            act(folder)
        disk.after()
        fatal, failed = fatal + 1, disk.failed
        yield folder, failed


@CRASHES
def test_a_first_save_that_is_killed_leaves_nothing_or_all_of_it(tmp_path, failure):
    left = []
    for folder, failed in crashes(tmp_path, lambda f: f, lambda f: checkpoints(f).save(state(1)), failure):
        found = checkpoints(folder).latest()
        left.append(found and epoch_of(found))
        assert failed or left[-1] == 1
    assert left == sorted(left, key=bool)
    assert len(left) > 20


@CRASHES
def test_a_later_save_that_is_killed_leaves_the_old_state_or_the_new_one(tmp_path, failure):
    """Its clean-up included: it has a leftover, a damaged generation and one that is too old to remove."""

    def prepare(folder):
        saved(folder, range(1, 5), best=2)  # generations 2, 3 and 4
        unfinished = folder / "gen-3"
        unfinished.rename(folder / "gen-7.tmp")
        (folder / "gen-7.tmp" / "manifest.json").unlink()
        saved(folder, [5], best=None)
        return folder

    left = []
    act = lambda folder: checkpoints(folder).save(state(6))  # noqa: E731
    for folder, failed in crashes(tmp_path, prepare, act, failure):
        found = checkpoints(folder)
        left.append(epoch_of(found.latest()))
        assert epoch_of(found.best()) == 2
        assert failed or left[-1] == 6
        found.save(state(7))
        assert epoch_of(checkpoints(folder).latest()) == 7
        assert not list(folder.glob("*.tmp"))
    assert set(left) == {5, 6}
    assert left == sorted(left)


@CRASHES
def test_a_kill_when_a_new_best_replaces_the_old_one_leaves_one_of_them(tmp_path, failure):
    act = lambda folder: checkpoints(folder).save(state(5), best=True)  # noqa: E731
    left = []
    for folder, _ in crashes(tmp_path, lambda f: saved(f, range(1, 5), best=1), act, failure):
        found = checkpoints(folder)
        left.append((epoch_of(found.best()), epoch_of(found.latest())))
    assert set(left) == {(1, 4), (5, 5)}


def stage(folder):
    """What a stage does at its end."""
    commit(folder / "warmup", StageResult(state(9), {"gain": 0.5}), IDENTITY)
    checkpoints(folder / "checkpoints").clear()


@CRASHES
def test_a_stage_killed_at_its_end_is_promoted_once_by_whoever_comes_next(tmp_path, failure):
    def prepare(folder):
        saved(folder / "checkpoints", [7, 8], best=7)
        return folder

    for folder, failed in crashes(tmp_path, prepare, stage, failure):
        result = committed(folder / "warmup", IDENTITY, notify=pytest.fail)
        if result is None:
            assert failed
            assert epoch_of(checkpoints(folder / "checkpoints").latest()) == 8
        again = commit(folder / "warmup", StageResult(state(10), {"gain": 0.7}), IDENTITY)
        assert again == (result is None)
        final = committed(folder / "warmup", IDENTITY, notify=pytest.fail)
        assert (epoch_of(final.state), final.outcome) == (
            (10, {"gain": 0.7}) if again else (9, {"gain": 0.5})
        )
        stage(folder)
        assert [path.name for path in folder.iterdir() if path.name != "checkpoints"] == ["warmup"]


def test_the_power_fails_after_the_restart_that_found_a_result_not_yet_there_to_last(tmp_path):
    """Killed right after the rename; the next process sees the result, clears the generations; power cut."""
    fatal, failed = 0, True
    while failed:
        folder = saved(tmp_path / str(fatal) / "checkpoints", [8], best=8).parent
        disk = Disk(fatal=fatal, failure=POWER)
        with disk:
            stage(folder)
        fatal, failed = fatal + 1, disk.failed
        disk.failed, disk._fatal = False, None
        with disk:
            stage(folder)
        disk.lose_power()
        assert epoch_of(committed(folder / "warmup", IDENTITY, notify=pytest.fail).state) == 9


def test_a_disk_that_fills_up_at_any_moment_leaves_the_old_state_and_says_what_it_needs(tmp_path):
    refused = []

    def act(folder):
        try:
            checkpoints(folder).save(state(5))
        except DiskFullError as full:
            refused.append(full)

    left = []
    for folder, _ in crashes(tmp_path, lambda f: saved(f, range(1, 5), best=2), act, FULL):
        found = checkpoints(folder)
        left.append(epoch_of(found.latest()))
        assert epoch_of(found.best()) == 2
        assert not [path for path in folder.glob("*.tmp") if left[-1] == 4]
    assert set(left) == {4, 5}
    assert len(refused) > 20
    assert all(full.reason == "disk" and full.needed >= 3 * 4 + 8 for full in refused)
    assert f"{refused[0].needed} bytes needed" in refused[0].received


def test_content_is_durable_before_names_and_names_before_anything_is_deleted(tmp_path):
    saved(tmp_path / "run", range(1, 4), best=None)
    with Disk() as disk:
        checkpoints(tmp_path / "run").save(state(4))
    assert [call for call in disk.calls if call[0] != "write"] == [
        ("mkdir", "gen-4.tmp"),
        ("create", "composable.checkpoint.1"),
        ("create", "arrays.npz"),
        ("fsync", "arrays.npz"),
        ("create", "facts.json"),
        ("fsync", "facts.json"),
        ("create", "manifest.json"),
        ("fsync", "manifest.json"),
        ("fsync", "gen-4.tmp"),
        ("rename", "gen-4"),
        ("fsync", "run"),
        ("rename", "gen-2.tmp"),
        ("unlink", "arrays.npz"),
        ("unlink", "facts.json"),
        ("unlink", "manifest.json"),
        ("unlink", "composable.checkpoint.1"),
        ("rmdir", "gen-2.tmp"),
    ]


def test_new_folders_are_there_to_last(tmp_path):
    with Disk() as disk:
        checkpoints(tmp_path / "trial" / "fit").save(state(1))
    assert disk.calls[:4] == [
        ("mkdir", "trial"),
        ("fsync", tmp_path.name),
        ("mkdir", "fit"),
        ("fsync", "trial"),
    ]


CHILD = """
import sys
from pathlib import Path
import numpy as np
from composable.training.checkpointer import Checkpoints
from composable.training.identity import Identity
from composable.training.identity import State

ours = Checkpoints(Path(sys.argv[1]), Identity((("dense", (3,), "float32"),), {"keras": "3.15.1"}), print)
epoch = ours.latest().facts["epoch"] if len(sys.argv) > 2 else 0
while True:
    epoch += 1
    dense = np.full(%d, epoch, "float32")
    ours.save(State({"dense": dense, "step": np.asarray(epoch)}, {"epoch": epoch}), best=epoch %% 3 == 1)
    print("saved", epoch, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_for_real_loses_nothing_that_it_said_was_saved(tmp_path):
    size = 300_000
    random = np.random.default_rng(0)
    arguments: list[str] = []
    for _ in range(8):
        command = [sys.executable, "-c", CHILD % size, str(tmp_path / "run"), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            lines = [child.stdout.readline()]
            while not lines[-1].startswith("saved"):
                lines.append(child.stdout.readline())
                assert lines[-1], "the child ended by itself"
            time.sleep(random.uniform(0, 0.2))
            child.kill()
            lines += child.stdout.read().splitlines()
        acknowledged = max(int(line.split()[1]) for line in lines if line.startswith("saved"))
        found = checkpoints(tmp_path / "run")
        latest, best = found.latest(), found.best()
        assert latest.facts["epoch"] in (acknowledged, acknowledged + 1)
        assert np.array_equal(latest.arrays["dense"], np.full(size, latest.facts["epoch"]))
        assert best.facts["epoch"] == max(e for e in range(1, latest.facts["epoch"] + 1) if e % 3 == 1)
        arguments = ["go on"]
