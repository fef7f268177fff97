"""Networks that begin on smaller images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.design import Architecture, Part, Task, component
from composable.design.stems import select_input, standardize
from composable.design.tasks import classifier, pooled
from composable.engine.settings import Settings
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate, Material, Small, shrunk
from composable.training.folds import FoldTrainer
from composable.training.storage import load_trained, save_trained

ROWS, SIDE = 60, 8
FOLDS = {0: Fold(np.arange(40), np.arange(40, 50), np.arange(50, ROWS))}
SIDES: list[int] = []


@component
def watched(x):
    """Says how large its images are."""
    SIDES.append(int(x.shape[1]))
    return x


def material():
    """Bright and dark images."""
    classes = np.arange(ROWS) % 2
    noise = np.random.default_rng(0).integers(0, 60, (ROWS, SIDE, SIDE, 1))
    images = (noise + 190 * classes[:, None, None, None]).astype("uint8")
    head = Head("shade", "multiclass", ("shade",), labels=("dark", "bright"))
    problem = Problem((head,), "log_loss")
    return Material(problem, {"images": images}, (classes[:, None].astype("int32"),), ())


def candidate(epochs=4):
    tasks = (Task(Part(classifier, classes=2), "head_0"),)
    prestem = (Part(select_input), Part(standardize, mean=(120.0,), deviation=(90.0,)))
    design = Architecture(prestem=prestem, learner=(Part(watched), Part(pooled)), tasks=tasks)
    settings = Settings(batch_size=8, epochs=epochs, learning_rate=0.05, patience=None)
    return Candidate("one", design, settings, small=Small(share=0.5))


def trained(asked):
    (found,) = FoldTrainer(asked, material()).train(FOLDS, seed=0, deadline=Deadline())
    return found


def test_a_pixel_is_the_mean_of_those_that_it_covers():
    quarters = np.repeat(np.repeat(np.array([[10, 20], [30, 40]], "uint8"), 4, 0), 4, 1)[None, ..., None]
    made = shrunk(quarters, 0.25)
    assert made.shape == (1, 2, 2, 1)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made[0, ..., 0].astype(int), [[10, 20], [30, 40]], atol=4)
    assert shrunk(np.full((3, 9, 7, 3), 77, "uint8"), 0.5).tolist() == np.full((3, 4, 4, 3), 77).tolist()


def test_the_network_goes_on_from_what_it_learned_of_small_images():
    SIDES.clear()
    begun, plain = trained(candidate()), trained(replace(candidate(), small=None))
    assert SIDE // 2 in SIDES
    assert begun.history.epochs[0].loss < plain.history.epochs[0].loss
    assert begun.held_out[0].shape == plain.held_out[0].shape


def test_it_is_another_training_than_one_without(tmp_path):
    asked = candidate(1)
    save_trained(tmp_path, trained(asked), asked)
    assert load_trained(tmp_path, asked)
    assert not load_trained(tmp_path, replace(asked, small=None))


@pytest.mark.parametrize("scale", [0.5, 0.75])
def test_every_size_of_image_takes_the_same_weights(scale):
    asked = replace(candidate(1), small=Small(share=0.5, scale=scale))
    assert np.isfinite(trained(asked).history.epochs[0].loss)
