"""Checkpoints: what comes back is what was saved, bit for bit; what is damaged or foreign never does."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys

import numpy as np
import pytest

from composable.core.errors import ArtifactError
from composable.training.generation import DiskFullError
from composable.training.identity import Identity, State, model_layers
from tests.training.checkpointed import (
    OTHERS,
    checkpoints,
    cut,
    epoch,
    flip,
    link,
    names,
    same_bits,
    saved,
    state,
)


def test_facts_come_back_exactly(tmp_path):
    facts = {
        "best": math.inf,
        "rate": 0.1 + 0.2,
        "history": [{"loss": 1e-300, "held_out": None}],
        "seed": 2**64 + 1,
        "name": "größe \udcf6",
    }
    checkpoints(tmp_path).save(State({}, {**facts, "nan": math.nan}))
    found = dict(checkpoints(tmp_path).latest().facts)
    assert math.isnan(found.pop("nan"))
    assert found == facts


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]),
        np.array([None]),
        np.zeros(2, [("x", "f4")]),
        np.array(["2026-01-01"], "datetime64[D]"),
    ],
    ids=str,
)
def test_what_is_not_a_number_is_refused_before_anything_is_written(tmp_path, array):
    ours = saved(tmp_path, [1])
    with pytest.raises(ArtifactError, match="names: ") as refused:
        ours.save(State({"names": array}, {}))
    assert "among the facts" in refused.value.remedy
    assert names(tmp_path) == ["gen-1"]


def test_facts_that_are_not_json_are_refused_before_anything_is_written(tmp_path):
    ours = saved(tmp_path, [1])
    with pytest.raises(TypeError):
        ours.save(State({}, {"rate": np.float32(1)}))
    assert names(tmp_path) == ["gen-1"]


def test_the_best_and_the_last_two_stay(tmp_path):
    ours = saved(tmp_path, range(1, 7), best={1, 3})
    assert names(tmp_path) == ["gen-3", "gen-5", "gen-6"]
    assert (epoch(ours.latest()), epoch(ours.best())) == (6, 3)


def test_numbers_go_on_after_a_restart(tmp_path):
    saved(tmp_path, [1, 2])
    assert checkpoints(tmp_path).save(state(3)) == 3
    assert names(tmp_path) == ["gen-2", "gen-3"]


def test_the_tenth_generation_comes_after_the_ninth(tmp_path):
    saved(tmp_path, range(1, 11))
    assert names(tmp_path) == ["gen-10", "gen-9"]
    assert epoch(checkpoints(tmp_path).latest()) == 10


def test_there_may_be_no_checkpoint_yet(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        assert checkpoints(folder).latest() is None
        assert checkpoints(folder).best() is None
    assert epoch(saved(tmp_path, [1, 2]).best()) is None


DAMAGES = pytest.mark.parametrize(
    "damage", [cut, flip, lambda path: path.unlink(), link], ids=["cut", "bit", "gone", "link"]
)


@DAMAGES
@pytest.mark.parametrize("name", ["arrays.npz", "facts.json"])
def test_a_damaged_file_is_named_and_the_generation_before_it_is_used(tmp_path, damage, name):
    saved(tmp_path, [1, 2], best={1, 2})
    damage(tmp_path / "gen-2" / name)
    notices = []
    ours = checkpoints(tmp_path, notices)
    assert epoch(ours.latest()) == 1
    assert str(tmp_path / "gen-2" / name) in notices[0]
    assert "gen-1; what came after it is lost" in notices[1]
    assert epoch(ours.best()) == 1


@pytest.mark.parametrize(
    "content",
    [
        lambda text: "",
        lambda text: text[:-100],
        lambda text: "[]",
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"best": false', '"best": true'),
        lambda text: text.replace("float32", "float64"),
        lambda text: text.replace("3.15.1", "3.15.2"),
        lambda text: "\udcff",
    ],
    ids=["empty", "cut", "list", "null", "deep", "best", "layer", "version", "no text"],
)
def test_a_generation_whose_manifest_was_altered_is_ignored(tmp_path, content):
    saved(tmp_path, [1, 2], best={1})
    manifest = tmp_path / "gen-2" / "manifest.json"
    manifest.write_text(content(manifest.read_text()), errors="surrogateescape")
    notices = []
    ours = checkpoints(tmp_path, notices)
    assert (epoch(ours.latest()), epoch(ours.best())) == (1, 1)
    assert str(manifest) in notices[0]


def test_a_generation_without_a_manifest_is_ignored(tmp_path):
    saved(tmp_path, [1, 2])
    (tmp_path / "gen-2" / "manifest.json").unlink()
    assert epoch(checkpoints(tmp_path, []).latest()) == 1


def reseal(folder, change):
    """Alter a manifest the way somebody would who knows how it is sealed."""
    from composable.training.generation import _seal

    path = folder / "manifest.json"
    body = json.loads(path.read_text())
    del body["seal"]
    change(body)
    path.write_text(json.dumps({**body, "seal": _seal(body)}))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["files"].update({"../../x": body["files"]["facts.json"]}),
        lambda body: body["files"].pop("facts.json"),
        lambda body: body.pop("files"),
        lambda body: body.update(format="composable.checkpoint/3"),
        lambda body: body.update(best="perhaps"),
    ],
    ids=["path", "no facts", "no files", "format", "type"],
)
def test_a_manifest_that_says_what_it_must_not_is_ignored(tmp_path, change):
    saved(tmp_path, [1, 2])
    reseal(tmp_path / "gen-2", change)
    notices = []
    assert epoch(checkpoints(tmp_path, notices).latest()) == 1
    assert "gen-2/manifest.json" in notices[0].replace("\\", "/")


def test_nothing_usable_is_no_state_and_a_notice_that_says_so(tmp_path):
    saved(tmp_path, [1, 2])
    cut(tmp_path / "gen-1" / "arrays.npz")
    cut(tmp_path / "gen-2" / "facts.json")
    notices = []
    ours = checkpoints(tmp_path, notices)
    assert ours.latest() is None
    assert [
        name in notice
        for name, notice in zip(["facts.json", "arrays.npz", "starts again"], notices, strict=True)
    ]
    ours.save(state(1))
    assert epoch(checkpoints(tmp_path).latest()) == 1


def test_a_damaged_generation_is_not_counted_among_the_last_two(tmp_path):
    saved(tmp_path, [1, 2, 3])
    flip(tmp_path / "gen-3" / "arrays.npz")
    ours = checkpoints(tmp_path, [])
    ours.latest()
    ours.save(state(4))
    assert names(tmp_path) == ["gen-2", "gen-4"]
    flip(tmp_path / "gen-4" / "arrays.npz")
    assert epoch(checkpoints(tmp_path, []).latest()) == 2


def test_the_only_best_stays_though_a_damaged_one_is_newer(tmp_path):
    saved(tmp_path, [1, 2, 3, 4], best={2})
    reseal(tmp_path / "gen-3", lambda body: body.update(best=True))
    flip(tmp_path / "gen-3" / "arrays.npz")
    ours = checkpoints(tmp_path, [])
    ours.save(state(5))
    assert epoch(ours.best()) == 2


def test_leftovers_of_ours_go_and_what_is_foreign_stays(tmp_path):
    saved(tmp_path, [1, 2, 3])
    (tmp_path / "gen-2").rename(tmp_path / "gen-4.tmp")
    mine = ["gen-11.tmp", "gen-6", "gen-0", "notes", "gen-x", "gen-01"]
    for name in mine:
        (tmp_path / name).mkdir()
        (tmp_path / name / "facts.json").write_text("years of work")
    (tmp_path / "gen-7").mkdir()
    (tmp_path / "gen-8").write_text("a file")
    shutil.copytree(tmp_path / "gen-3", tmp_path / "copy")
    (tmp_path / "gen-9").symlink_to(tmp_path / "copy", target_is_directory=True)
    ours = checkpoints(tmp_path, [])
    assert epoch(ours.latest()) == 3
    assert ours.save(state(4)) == 12
    assert ours.save(state(5)) == 13
    ours.clear()
    assert names(tmp_path) == sorted([*mine, "copy", "gen-7", "gen-8", "gen-9"])
    assert all((tmp_path / name / "facts.json").read_text() == "years of work" for name in mine)
    assert len(names(tmp_path / "copy")) == 4


def test_a_generation_that_cannot_be_removed_is_named_and_the_save_holds(tmp_path):
    ours = saved(tmp_path, [1, 2])
    (tmp_path / "gen-1.tmp").write_text("a file in the way")
    notices = []
    assert checkpoints(tmp_path, notices).save(state(3)) == 3
    assert f"{tmp_path / 'gen-1'} could not be removed" in notices[0]
    assert epoch(ours.latest()) == 3


def test_a_generation_that_somebody_put_a_file_into_is_left_alone(tmp_path):
    ours = saved(tmp_path, [1])
    (tmp_path / "gen-1" / "notes.txt").write_text("the good one")
    for number in (2, 3, 4):
        ours.save(state(number))
    assert names(tmp_path) == ["gen-1", "gen-3", "gen-4"]
    assert names(tmp_path / "gen-1") == sorted(
        ["arrays.npz", "composable.checkpoint.1", "facts.json", "manifest.json", "notes.txt"]
    )


def test_a_copied_folder_of_checkpoints_is_as_good_as_the_original(tmp_path):
    saved(tmp_path / "a", [1, 2, 3])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    ours = checkpoints(tmp_path / "b")
    assert epoch(ours.latest()) == 3
    ours.save(state(4))
    assert names(tmp_path / "b") == ["gen-3", "gen-4"]


def test_what_a_kill_cost_is_said(tmp_path):
    saved(tmp_path, [1, 2])
    (tmp_path / "gen-2").rename(tmp_path / "gen-2.tmp")
    notices = []
    assert epoch(checkpoints(tmp_path, notices).latest()) == 1
    assert notices == [
        f"{tmp_path / 'gen-2.tmp'} was never finished.",
        f"Training goes on from {tmp_path / 'gen-1'}; what came after it is lost.",
    ]


@pytest.mark.parametrize(("other", "difference"), OTHERS.values(), ids=OTHERS)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, other, difference):
    saved(tmp_path, [1], best={1})
    for read in (checkpoints(tmp_path, [], other).latest, checkpoints(tmp_path, [], other).best):
        with pytest.raises(ArtifactError) as refused:
            read()
        for words in (
            difference,
            str(tmp_path / "gen-1"),
            "keras 3.15.1",
            f"keras {other.versions['keras']}",
        ):
            assert words in refused.value.received
    assert epoch(checkpoints(tmp_path).latest()) == 1


def test_the_layers_of_a_keras_model_tell_two_architectures_apart(tmp_path):
    import keras

    def network(units):
        layers = [keras.layers.Dense(4), keras.layers.Dense(units), keras.layers.Dense(1, name="head")]
        return keras.Sequential([keras.Input((3,)), *layers])

    def identity(model):
        return Identity(model_layers(model), {"keras": keras.__version__})

    model = network(2)
    arrays = {one.path: keras.ops.convert_to_numpy(one) for one in model.variables}
    assert [name.partition("/")[2] for name, _, _ in model_layers(model)] == [
        "dense/kernel",
        "dense/bias",
        "dense_1/kernel",
        "dense_1/bias",
        "head/kernel",
        "head/bias",
    ]
    checkpoints(tmp_path, identity=identity(model)).save(State(arrays, {}))
    found = checkpoints(tmp_path, identity=identity(network(2))).latest()
    assert all(same_bits(found.arrays[name], array) for name, array in arrays.items())
    with pytest.raises(
        ArtifactError, match=r"dense_1/kernel \(4, 2\) float32 there, \S*dense_1/kernel \(4, 5\)"
    ):
        checkpoints(tmp_path, identity=identity(network(5))).latest()


FILL = """
import sys
from pathlib import Path
import numpy as np
from composable.training.checkpointer import Checkpoints
from composable.training.generation import DiskFullError
from composable.training.identity import Identity
from composable.training.identity import State

ours = Checkpoints(Path(sys.argv[1]), Identity((), {}), print)
ours.save(State({"x": np.zeros(50_000)}, {"epoch": 1}))
try:
    ours.save(State({"x": np.zeros(100_000)}, {"epoch": 2}))
except DiskFullError as full:
    print(full.reason, full.needed, ours.latest().facts, sorted(path.name for path in ours.folder.iterdir()))
"""


@pytest.mark.slow
def test_a_real_disk_that_is_full(tmp_path):
    mount = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'
    child = [sys.executable, "-c", FILL, str(tmp_path)]
    tried = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "-", str(tmp_path), *child], capture_output=True, text=True
    )
    if "mount" in tried.stderr or "unshare" in tried.stderr:
        pytest.skip("this system lets nobody mount a disk of their own")
    assert tried.stdout.split("\n")[0] == "disk 800012 {'epoch': 1} ['gen-1']", tried.stderr


def test_the_error_is_one_of_the_system_and_one_of_ours(tmp_path):
    full = DiskFullError(10**6, tmp_path)
    assert isinstance(full, OSError)
    assert (full.exit_code, full.reason, full.needed) == (3, "disk", 10**6)
    assert "1000000 bytes needed" in str(full)
