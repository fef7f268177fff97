"""What is suggested after the portfolio."""

from __future__ import annotations

import math

import pytest

from composable.core.errors import SetupError
from composable.core.packages import optional
from composable.modality import candidates, families
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.search.sampling import SAMPLERS, Tried, check_sampler, narrowed
from composable.search.space import content_of
from composable.search.suggestions import (
    BATCH,
    Outcome,
    is_known_enough,
    most_candidates,
    number_of,
    suggest,
    survivors,
)

FACTS = DataFacts(Problem((Head("y", "regression", ("y",)),), "rmse"), 500, {"numbers": 5}, ())
PORTFOLIO = tuple(candidates(FACTS, seed=0))
FAMILIES = families(FACTS, PORTFOLIO)
LOSSES = {
    "linear": 9.0,
    "boosted_trees": 7.0,
    "boosted_trees_small": 7.0,
    "kernel": 8.0,
    "tabm_mini": 1.0,
    "realmlp": 2.0,
    "realmlp_slow": 3.0,
}
KNOWN = [Outcome(one, LOSSES.get(one.name, 5.0)) for one in PORTFOLIO]
WITHOUT_TORCH = [name for name in SAMPLERS if name != "gp"]


def run(sampler, *, count=8, workers=1, seed=0):
    """Fake trainings: so many side by side, each ends as late as it may."""
    outcomes, running, found = list(KNOWN), [], []
    for number in range(count):
        while len(running) == workers or not is_known_enough(number, [one.name for one in running], FAMILIES):
            ended = running.pop(0)
            loss = math.log(ended.settings.learning_rate) ** 2
            outcomes = [Outcome(ended, loss) if one.candidate is ended else one for one in outcomes]
        candidate = suggest(FAMILIES, outcomes, SAMPLERS[sampler], number, seed)
        outcomes.append(Outcome(candidate, ended=False))
        running.append(candidate)
        found.append(candidate)
    return found


@pytest.mark.parametrize("sampler", WITHOUT_TORCH)
def test_the_same_suggestions_come_with_one_worker_or_several(sampler):
    alone, several, again = run(sampler), run(sampler, workers=3), run(sampler)
    assert alone == several == again
    assert run(sampler, seed=1) != alone


@pytest.mark.parametrize("sampler", WITHOUT_TORCH)
def test_nothing_is_tried_twice_and_all_is_of_the_best_families(sampler):
    found = run(sampler, count=12)
    assert len({content_of(one) for one in (*PORTFOLIO, *found)}) == len(PORTFOLIO) + 12
    assert {one.name.rpartition("_")[0] for one in found} == {"tabm_mini", "realmlp", "mlp"}
    assert [number_of(one.name, FAMILIES) for one in found] == list(range(12))


def test_the_better_half_of_the_families_survives():
    assert [one.name for one in survivors(FAMILIES, KNOWN)] == ["tabm_mini", "realmlp", "mlp"]
    assert len(survivors(FAMILIES, [])) == 5  # no score is known; a closed-form fit leaves nothing open


def test_a_batch_waits_for_the_results_that_it_is_made_by():
    assert is_known_enough(1, ["mlp_0"], FAMILIES)
    assert not is_known_enough(1, ["mlp"], FAMILIES)
    assert not is_known_enough(BATCH, ["mlp_3"], FAMILIES)


def test_a_space_that_is_used_up_ends_the_search():
    from dataclasses import replace

    closed = replace(FAMILIES[-1], training={}, usual=PORTFOLIO[-1])
    assert suggest([closed], KNOWN, SAMPLERS["tpe"], 0, 0) is None


def test_tpe_looks_where_it_was_good():
    family = next(one for one in FAMILIES if one.name == "realmlp")
    history = []
    for number in range(40):
        values = SAMPLERS["tpe"](family, history, number)
        rate = values["training.learning_rate"]
        history.append(Tried(values, abs(math.log(rate / 0.1))))
    late = sorted(one.loss for one in history[-10:])
    assert late[5] < sorted(one.loss for one in history[:10])[5]


def test_narrowing_halves_and_doubles_then_goes_back_to_the_full_space():
    family = next(one for one in FAMILIES if one.name == "mlp")
    best = Tried(family.values_of(PORTFOLIO[-1]), 1.0)
    history, seen = [best], []
    for number in range(4):
        values = narrowed(family, history, number)
        seen.append((values.get("training.learning_rate"), values.get("training.batch_size")))
        history.append(Tried(values, 2.0))
    assert seen[:3] == [(0.0005, None), (0.002, None), (0.001, 16)]
    assert seen[3][1] is None  # from the full space
    assert seen[3][0] not in (0.0005, 0.001, 0.002)


@pytest.mark.parametrize(
    ("rows", "most"), [(100, 4), (500, 8), (2500, 15), (10_000, 40), (10**7, 100), (1, 4)]
)
def test_few_rows_allow_few_candidates(rows, most):
    assert most_candidates(rows) == most


def test_a_gaussian_process_needs_torch():
    try:
        optional("torch", extra="torch")
    except SetupError:
        with pytest.raises(SetupError, match="torch"):
            check_sampler("gp")
    else:
        assert suggest(FAMILIES, KNOWN, SAMPLERS["gp"], 0, 0) is not None
