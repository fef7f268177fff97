"""A small training whose states are saved, and what may befall its files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.training.checkpointer import Checkpoints
from composable.training.identity import Identity, State

VERSIONS = {"keras": "3.15.1", "backend": "jax 0.10.2", "composable": "0.2.0"}
IDENTITY = Identity(
    (("dense/kernel", (3, 2), "float32"), ("dense/bias", (2,), "float32")), VERSIONS, settings="5f3a"
)


def state(epoch):
    return State({"dense/kernel": np.full((3, 2), epoch, "float32")}, {"epoch": epoch})


def checkpoints(folder, notices=None, identity=IDENTITY):
    return Checkpoints(folder, identity, pytest.fail if notices is None else notices.append)


def saved(folder, epochs, best=()):
    ours = checkpoints(folder)
    for epoch in epochs:
        ours.save(state(epoch), best=epoch in best)
    return ours


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def epoch(found):
    return found and found.facts["epoch"]


def same_bits(ours, theirs):
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


OTHERS = {
    "shape": (
        replace(IDENTITY, layers=(IDENTITY.layers[0], ("dense/bias", (4,), "float32"))),
        "dense/bias (2,) float32 there, dense/bias (4,) float32 here",
    ),
    "first of two": (
        replace(IDENTITY, layers=(("dense/kernel", (3, 4), "float32"), ("dense/bias", (4,), "float32"))),
        "dense/kernel (3, 2) float32 there, dense/kernel (3, 4) float32 here",
    ),
    "fewer": (replace(IDENTITY, layers=IDENTITY.layers[:1]), "dense/bias (2,) float32 there, none here"),
    "keras": (
        replace(IDENTITY, versions={**VERSIONS, "keras": "3.16.0"}),
        "keras was 3.15.1 there, is 3.16.0 here",
    ),
    "settings": (replace(IDENTITY, settings="0000"), "the settings differ"),
}
