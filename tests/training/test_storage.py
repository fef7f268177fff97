"""A trained network on disk: what comes back is what was written, or an error that names the file."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from composable.core.errors import ArtifactError
from composable.design import Part
from composable.design.tasks import regressor
from composable.engine.history import Epoch, History
from composable.engine.settings import Settings
from composable.problem.postprocessing import PostProcessing
from composable.training.candidate import REFIT, Candidate, Trained
from composable.training.storage import load_refit, load_trained, load_weights, save_trained
from composable.zoo.mlp import mlp


def trained(fold=0, *, weights=3):
    random = np.random.default_rng(fold + 1)
    return Trained(
        fold=fold,
        weights=[random.normal(size=(2, 3)).astype("float32") for _ in range(weights)],
        postprocessing=(PostProcessing(scale=2.5, low=-1.0, high=math.inf), PostProcessing()),
        history=History((Epoch(0, 0.5, 0.6, 0.01), Epoch(1, math.nan, 0.4, 0.01)), 1, "patience"),
        seconds=1.25,
        held_out=[random.normal(size=(4, 1)), random.normal(size=(4, 2, 3))],
        test=[random.normal(size=(5, 1)), random.normal(size=(5, 2, 3))],
        own_test=[],
        chosen={"penalty": 0.3},
    )


HEADS = (Part(regressor),)
CANDIDATE = Candidate("mlp", mlp(tasks=HEADS), Settings())


def same(ours, theirs):
    return len(ours) == len(theirs) and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("weights", [0, 3, 12])
def test_what_comes_back_is_what_was_written(tmp_path, weights):
    written = trained(weights=weights)
    save_trained(tmp_path, written, CANDIDATE)
    (found,) = load_trained(tmp_path, CANDIDATE)
    for name in ("held_out", "test", "own_test"):
        assert same(getattr(found, name), getattr(written, name))
    assert (found.fold, found.seconds, found.postprocessing) == (0, 1.25, written.postprocessing)
    assert found.chosen == written.chosen
    assert repr(found.history) == repr(written.history)
    assert found.weights == []
    assert same(load_weights(tmp_path, 0), written.weights)


def test_folds_come_back_up_to_the_first_that_is_missing(tmp_path):
    for fold in (3, 1, 0):
        save_trained(tmp_path, trained(fold), CANDIDATE)
    assert [one.fold for one in load_trained(tmp_path, CANDIDATE)] == [0, 1]


def test_folds_that_were_trained_at_once_come_back_together_or_not_at_all(tmp_path):
    save_trained(tmp_path, replace(trained(0), together=(0,)), CANDIDATE)
    for fold in (1, 2, 3):
        save_trained(tmp_path, replace(trained(fold), together=(1, 2, 3)), CANDIDATE)
    assert [one.fold for one in load_trained(tmp_path, CANDIDATE)] == [0, 1, 2, 3]
    (tmp_path / "fold-3.npz").unlink()
    assert [one.fold for one in load_trained(tmp_path, CANDIDATE)] == [0]


def test_the_network_of_all_folds_stands_beside_theirs(tmp_path):
    written = [trained(number) for number in (0, REFIT)]
    for one in written:
        save_trained(tmp_path, one, CANDIDATE)
    assert (found := load_refit(tmp_path, CANDIDATE)) is not None
    assert found.fold == REFIT
    assert [one.fold for one in load_trained(tmp_path, CANDIDATE)] == [0]
    assert same(load_weights(tmp_path, REFIT), written[1].weights)
    assert load_refit(tmp_path, replace(CANDIDATE, settings=Settings(learning_rate=0.5))) is None
    assert load_refit(tmp_path / "absent", CANDIDATE) is None


def test_an_empty_or_absent_folder_holds_none(tmp_path):
    assert load_trained(tmp_path, CANDIDATE) == load_trained(tmp_path / "absent", CANDIDATE) == []


def test_a_fold_trained_again_replaces_the_old_one(tmp_path):
    save_trained(tmp_path, trained(weights=1), CANDIDATE)
    save_trained(tmp_path, trained(weights=2), CANDIDATE)
    assert len(load_weights(tmp_path, 0)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["fold-0.npz"]


def test_what_a_kill_left_half_written_is_ignored(tmp_path):
    save_trained(tmp_path, trained(), CANDIDATE)
    (tmp_path / "fold-1.npz.tmp").write_bytes(b"PK half")
    assert [one.fold for one in load_trained(tmp_path, CANDIDATE)] == [0]


@pytest.mark.parametrize(
    "other",
    [
        Candidate("mlp", mlp(tasks=HEADS, units=7), Settings()),
        Candidate("mlp", mlp(tasks=HEADS), Settings(learning_rate=0.5)),
    ],
)
def test_the_networks_of_another_candidate_are_left_alone(tmp_path, other):
    save_trained(tmp_path, trained(), other)
    assert load_trained(tmp_path, CANDIDATE) == []


def test_a_training_that_the_clock_cut_short_is_to_be_done_again(tmp_path):
    whole = trained()
    save_trained(tmp_path, replace(whole, history=replace(whole.history, stopped="deadline")), CANDIDATE)
    assert load_trained(tmp_path, CANDIDATE) == []


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
def test_a_damaged_file_is_trained_again(tmp_path, damage):
    save_trained(tmp_path, trained(), CANDIDATE)
    path = tmp_path / "fold-0.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert load_trained(tmp_path, CANDIDATE) == []


@pytest.mark.parametrize("content", [b"", b"PK half", b"\x80\x04K*."], ids=["empty", "cut", "pickle"])
def test_weights_never_come_from_a_damaged_file(tmp_path, content):
    (tmp_path / "fold-0.npz").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"fold-0\.npz") as refused:
        load_weights(tmp_path, 0)
    assert "delete that file" in refused.value.remedy
