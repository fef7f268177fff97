"""What a person pins, bounds, excludes and enqueues holds for the portfolio and for what is suggested."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design.choice import Between, Choice
from composable.modality import candidates, families
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.search.guidance import read_guidance
from composable.search.guided import guided
from composable.search.space import value_at
from composable.search.space_file import space_text

FACTS = DataFacts(Problem((Head("y", "regression", ("y",)),), "rmse"), 500, {"numbers": 5}, ())
TREES = ("boosted_trees", "boosted_trees_small", "extra_trees")
PORTFOLIO = tuple(candidates(FACTS, seed=0))
FAMILIES = families(FACTS, PORTFOLIO)


def decided(*, pins=(), ranges=(), excluded=(), tries=(), space=None):
    guidance = read_guidance(pins=pins, ranges=ranges, excluded=excluded, tries=tries, space=space)
    return guided(PORTFOLIO, FAMILIES, guidance)


def family(found, name):
    return next(one for one in found.families if one.name == name)


def values(found, path):
    return {one.name: value_at(one, path) for one in found.portfolio}


def test_a_pin_holds_in_the_portfolio_and_closes_the_families():
    found = decided(pins=["units=100", "mlp.dropout=0"])
    at = values(found, "learner.1.units")
    assert at["tabm_mini"] == at["tabm_mini_small"] == at["mlp"] == 100
    assert "units" not in family(found, "mlp").openings
    assert value_at(family(found, "mlp").usual, "learner.0.dropout") == 0.0
    assert "dropout" in family(found, "tabm_mini").openings


def test_a_candidate_outside_a_range_is_moved_to_its_end_and_the_range_is_searched():
    found = decided(ranges=["learning_rate=0.0015:0.06"])
    rates = {one.name: one.settings.learning_rate for one in found.portfolio}
    assert (rates["mlp"], rates["tabm_mini"], rates["realmlp"]) == (0.0015, 0.002, 0.06)
    opening = family(found, "realmlp").openings["training.learning_rate"]
    assert opening == Between(0.0015, 0.06, log=True)


def test_what_is_not_open_is_opened_by_a_range():
    found = decided(ranges=["batch_size=64:100"])
    assert family(found, "mlp").openings["training.batch_size"] == Between(64, 100)
    assert {one.settings.batch_size for one in found.portfolio if one.solver is None} <= set(range(64, 101))


def test_two_candidates_that_come_to_be_the_same_are_tried_once():
    names = [one.name for one in decided(ranges=["realmlp.lr=0.001:0.002"]).portfolio]
    assert "realmlp" in names
    assert "realmlp_slow" not in names


def test_families_and_components_are_left_out_with_their_variants():
    found = decided(excluded=["realmlp", "zoo.vgg", "kernel_ridge.kernel_ridge"])
    names = {one.name for one in found.portfolio}
    assert names == {"linear", "tabm_mini", "tabm_mini_small", "mlp", *TREES}
    assert {one.name for one in found.families} == {
        "linear",
        "tabm_mini",
        "mlp",
        "boosted_trees",
        "extra_trees",
    }


def test_options_with_an_excluded_component_leave_a_choice():
    from dataclasses import replace

    from composable.design import Part
    from composable.search.exclusion import excluded
    from composable.search.guidance import Guidance
    from composable.zoo.tabm import ensembled_block, shared_block

    one = family(decided(), "tabm_mini")
    blocks = Choice((Part(shared_block, units=8), Part(ensembled_block, units=8)))
    open_one = replace(
        one, usual=replace(one.usual, architecture=replace(one.usual.architecture, learner=blocks))
    )
    _, left = excluded(PORTFOLIO, [open_one], Guidance(excluded=("tabm.ensembled_block",)))
    assert "learner" not in left[0].openings


def test_a_configuration_is_tried_first(tmp_path):
    path = tmp_path / "mine.json"
    body = {"format": "composable.configuration/1", "family": "mlp", "values": {"units": 77, "lr": 0.003}}
    path.write_text(json.dumps(body))
    (first,) = decided(tries=[str(path)]).first
    assert value_at(first, "learner.1.units") == 77
    assert first.settings.learning_rate == 0.003
    with pytest.raises(ConfigError, match=r"units=77 and --range units=100:200"):
        decided(tries=[str(path)], ranges=["units=100:200"])


def test_a_space_written_and_read_again_changes_nothing(tmp_path):
    path = tmp_path / "space.json"
    path.write_text(space_text(FAMILIES))
    found = decided(space=str(path))
    assert found.families == FAMILIES
    assert found.portfolio == PORTFOLIO


def test_an_edited_space_bounds_closes_and_leaves_out(tmp_path):
    path = tmp_path / "space.json"
    body = json.loads(space_text(FAMILIES))
    del body["families"]["realmlp"], body["families"]["mlp"]["dropout"]
    body["families"]["mlp"]["units"] = {"choice": [32, 64]}
    body["families"]["mlp"]["training.batch_size"] = 16
    path.write_text(json.dumps(body))
    found = decided(space=str(path))
    mlp = family(found, "mlp")
    assert mlp.openings["units"].options == (32, 64)
    assert not {"dropout", "training.batch_size"} & mlp.openings.keys()
    (candidate,) = (one for one in found.portfolio if one.name == "mlp")
    assert (value_at(candidate, "learner.0.units"), candidate.settings.batch_size) == (64, 16)
    assert not any(one.name.startswith("realmlp") for one in found.portfolio)


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"pins": ["unit=3"]}, "--set unit=3"),
        ({"pins": ["units"]}, "--set units"),
        ({"pins": ["units=abc"]}, "units='abc'"),
        ({"pins": ["units=3", "units=4"]}, "--set units=3 and --set units=4"),
        ({"pins": ["units=3"], "ranges": ["mlp.units=2:4"]}, "--set units=3 and --range mlp.units=2:4"),
        ({"pins": ["lr=1"], "ranges": ["training.learning_rate=2:3"]}, "--set lr=1 and --range"),
        ({"pins": ["mlp.units=3"], "excluded": ["mlp"]}, "--exclude mlp and --set mlp.units=3"),
        ({"ranges": ["units=5:2"]}, "units=5:2"),
        ({"ranges": ["units=2:nan"]}, "units=2:nan"),
        ({"ranges": ["units=2.5:7"]}, "units=2.5:7"),
        ({"ranges": ["lr=-1:1"]}, "-1"),
        ({"ranges": ["realmlp.learner.0.activation=1:2"]}, "activation"),
        ({"excluded": ["relmlp"]}, "--exclude relmlp"),
        ({"excluded": ["tables"]}, "--exclude tables"),
        ({"tries": ["nowhere.json"]}, "nowhere.json"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(options, received):
    with pytest.raises(ConfigError) as refused:
        decided(**options)
    assert received in refused.value.received
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda body: body | {"format": "composable.space/9"}, "composable.space/9"),
        (lambda body: body | {"families": {}}, "families"),
        (lambda body: body | {"families": {"mpl": {}}}, "--space"),
        (lambda body: body | {"families": {"mlp": {"unitz": 4}}}, "unitz"),
        (lambda body: body | {"families": {"mlp": {"units": {"between": [9, 2]}}}}, "Between"),
        (
            lambda body: body | {"families": {"mlp": {"training.learning_rate": {"between": [-1.0, 2.0]}}}},
            "-1",
        ),
        (lambda body: body | {"families": {"mlp": {"units": {"choice": [0]}}}}, "0"),
    ],
)
def test_a_space_that_cannot_be_is_refused(tmp_path, change, expected):
    path = tmp_path / "space.json"
    path.write_text(json.dumps(change(json.loads(space_text(FAMILIES)))))
    with pytest.raises(ConfigError) as refused:
        decided(space=str(path))
    assert expected in refused.value.received + refused.value.rule
    assert refused.value.remedy


def test_what_an_earlier_session_began_goes_on_where_the_decisions_allow_it():
    found = decided(pins=["units=100"], excluded=["linear"])
    allowed = {one.name for one in PORTFOLIO if found.allows(one)}
    assert allowed == {"kernel", "realmlp", "realmlp_slow", *TREES}


def test_a_component_is_pinned_by_its_name_where_a_design_leaves_it_open():
    from composable.design import Architecture, Part
    from composable.search.space import OpenCandidate
    from composable.training.candidate import Candidate
    from composable.zoo.tabm import ensembled_block, shared_block

    blocks = Choice((Part(shared_block, units=8), Part(ensembled_block, units=8)))
    one = PORTFOLIO[-1]
    open_design: Architecture = dataclasses.replace(one.architecture, learner=blocks)
    closed = open_design.decided({"learner": blocks.options[0]})
    own = OpenCandidate(Candidate("mine", open_design, one.settings))
    guidance = read_guidance(pins=["learner=ensembled_block"], ranges=[], excluded=[], tries=[], space=None)
    found = guided([dataclasses.replace(one, name="mine", architecture=closed)], [own], guidance)
    assert found.portfolio[0].architecture.learner == Part(ensembled_block, units=8)
    assert not found.families[0].openings


def test_a_path_that_only_a_closed_candidate_has_is_held_in_suggestions():
    from composable.search.space import OpenCandidate
    from composable.training.candidate import Candidate
    from composable.zoo.mlp import mlp_space

    one = PORTFOLIO[-1]
    design = mlp_space(tasks=FACTS.tasks)
    own = OpenCandidate(Candidate("mine", design, one.settings))
    drawn = own.closed(lambda _, opening: opening.draw(np.random.default_rng(0)), "mine")
    guidance = read_guidance(pins=["learner.0.units=32"], ranges=[], excluded=[], tries=[], space=None)
    found = guided([drawn], [own], guidance)
    assert value_at(found.portfolio[0], "learner.0.units") == 32
    later = own.closed(lambda _, opening: opening.draw(np.random.default_rng(1)), "mine_0")
    assert value_at(later, "learner.0.units") != 32
    assert value_at(found.held(later), "learner.0.units") == 32


def test_what_a_solver_leaves_open_is_pinned_bounded_and_closed():
    found = decided(ranges=["boosted_trees.solver.learning_rate=0.01:0.02"], pins=["solver.smallest_leaf=7"])
    trees = family(found, "boosted_trees")
    assert trees.openings["solver.learning_rate"] == Between(0.01, 0.02)
    assert "solver.smallest_leaf" not in trees.openings
    at = values(found, "solver.learning_rate")
    assert at["boosted_trees"] == at["boosted_trees_small"] == 0.02
    drawn = trees.closed(lambda _, opening: opening.draw(np.random.default_rng(0)), "boosted_trees_0")
    assert 0.01 <= value_at(drawn, "solver.learning_rate") <= 0.02
    assert value_at(drawn, "solver.smallest_leaf") == 7
    assert trees.values_of(drawn).keys() == {"solver.learning_rate", "solver.features"}
    opened = decided(ranges=["kernel.solver.rows=100:400"])
    assert family(opened, "kernel").openings["solver.rows"] == Between(100, 400)


def test_paths_are_the_same_for_texts_images_and_series():
    from composable.modality.facts import Signal

    head = Head("y", "binary", ("y",), ("no", "yes"))
    image = Signal((16, 16, 3), (100.0,) * 3, (50.0,) * 3)
    each = {
        "words": {"widths": {"words": 20, "ngrams": 30}, "vocabularies": {"words": 50, "ngrams": 60}},
        "images": {"signals": {"images": image}},
        "series": {"signals": {"series": Signal((40, 1), (0.0,), (1.0,))}},
    }
    for given in each.values():
        facts = DataFacts(Problem((head,), "auc"), 500, **{"widths": {}, "categories": (), **given})
        portfolio = tuple(candidates(facts, seed=0))
        guidance = read_guidance(
            pins=["batch_size=16"], ranges=["lr=1e-5:1e-4"], excluded=[], tries=[], space=None
        )
        found = guided(portfolio, families(facts, portfolio), guidance)
        trained = [one for one in found.portfolio if one.solver is None]
        assert trained
        assert all(one.settings.batch_size == 16 and one.settings.learning_rate <= 1e-4 for one in trained)
        open_ones = [one for one in found.families if one.usual.solver is None]
        assert all("training.learning_rate" in one.openings for one in open_ones)
