"""A trained network on disk: what comes back is what was written, or an error that names the file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from composable.core.errors import ArtifactError
from composable.engine.train import Epoch, History
from composable.problem.finish import Finish
from composable.training.rotating import Trained
from composable.training.storage import load_trained, save_trained


def trained(rotation=0, *, weights=3):
    random = np.random.default_rng(rotation)
    return Trained(
        rotation=rotation,
        weights=[random.normal(size=(2, 3)).astype("float32") for _ in range(weights)],
        finishes=(Finish(scale=2.5, low=-1.0, high=math.inf), Finish()),
        history=History((Epoch(0, 0.5, 0.6, 0.01), Epoch(1, math.nan, 0.4, 0.01)), 1, "patience"),
        seconds=1.25,
        validation=[random.normal(size=(4, 1)), random.normal(size=(4, 2, 3))],
        test=[random.normal(size=(5, 1)), random.normal(size=(5, 2, 3))],
        own_test=[],
    )


def assert_same(found, expected):
    for name in ("weights", "validation", "test", "own_test"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == b.dtype
            assert np.array_equal(a, b)
    assert (found.rotation, found.seconds, found.finishes) == (
        expected.rotation,
        expected.seconds,
        expected.finishes,
    )
    assert repr(found.history) == repr(expected.history)


@pytest.mark.parametrize("weights", [0, 3, 12])
def test_what_comes_back_is_what_was_written(tmp_path, weights):
    save_trained(tmp_path, trained(weights=weights))
    (found,) = load_trained(tmp_path)
    assert_same(found, trained(weights=weights))


def test_rotations_come_back_in_order(tmp_path):
    for rotation in (10, 2, 0):
        save_trained(tmp_path, trained(rotation))
    assert [one.rotation for one in load_trained(tmp_path)] == [0, 2, 10]


def test_an_empty_or_absent_folder_holds_none(tmp_path):
    assert load_trained(tmp_path) == load_trained(tmp_path / "absent") == []


def test_a_rotation_trained_again_replaces_the_old_one(tmp_path):
    save_trained(tmp_path, trained(weights=1))
    save_trained(tmp_path, trained(weights=2))
    assert len(load_trained(tmp_path)[0].weights) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["rotation-0.npz"]


def test_what_a_kill_left_half_written_is_ignored(tmp_path):
    save_trained(tmp_path, trained())
    (tmp_path / "rotation-1.npz.tmp").write_bytes(b"PK half")
    assert [one.rotation for one in load_trained(tmp_path)] == [0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:200],
        lambda content: content[: len(content) // 2] + b"\0" * 40 + content[len(content) // 2 + 40 :],
        lambda content: b"",
        lambda content: b"\x80\x04K*.",  # a pickle
    ],
    ids=["cut", "overwritten", "empty", "pickle"],
)
def test_a9_a_damaged_file_is_named_with_the_way_out(tmp_path, damage):
    save_trained(tmp_path, trained())
    path = tmp_path / "rotation-0.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactError, match=r"rotation-0\.npz") as refused:
        load_trained(tmp_path)
    assert "delete that file" in refused.value.remedy


def test_a_file_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "rotation-0.npz", a=np.zeros(3))
    with pytest.raises(ArtifactError, match="as it was written"):
        load_trained(tmp_path)


def test_a8_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "rotation-0.npz", facts=np.array([{"rotation": 0}], dtype=object))
    with pytest.raises(ArtifactError):
        load_trained(tmp_path)
