"""An open design in a fit: the search over its architecture."""

from __future__ import annotations

import json

import pytest

import composable
from composable.design import Architecture, Choice, Part
from composable.design.building import outline
from composable.design.tasks import regressor
from composable.search import untrained
from composable.training.candidate import from_plain
from composable.zoo.mlp import dense_block

DESIGN = Architecture(
    learner=(Part(dense_block, units=Choice((2, 4, 64))), Part(dense_block, units=Choice((2, 4, 64)))),
    tasks=Part(regressor),
)


@pytest.fixture
def fitted(tmp_path, make_table):
    def fit(name, **options):
        return composable.fit(
            make_table()[["size", "price"]],
            "price",
            design=DESIGN,
            max_trials=3,
            max_epochs=1,
            out=tmp_path / name,
            **options,
        )

    return fit


def tried(run):
    paths = sorted(run.path.glob("trials/*/candidate.json"), key=lambda path: int(path.parent.name))
    return [from_plain(json.loads(path.read_text())["candidate"]) for path in paths]


@pytest.mark.slow
def test_an_open_architecture_is_searched_by_the_surrogate_and_scored_untrained_first(fitted, monkeypatch):
    scored = []
    real = untrained.zero_cost
    monkeypatch.setattr(
        untrained, "zero_cost", lambda one, *a, **k: (scored.append(one), real(one, *a, **k))[1]
    )
    by_default = tried(fitted("default"))
    assert scored  # where there is no time limit, or a long one
    assert len(by_default) == 3
    scored.clear()
    assert tried(fitted("tpe", sampler="tpe")) != by_default
    assert not scored


def test_architectures_beyond_the_limit_are_not_tried(fitted):
    run = fitted("small", max_parameters=200)
    found = tried(run)
    assert len(found) > 1
    shapes = {"numbers": (1,)}
    assert all(outline(one.architecture, shapes)[0].count_params() <= 200 for one in found)
