"""Which candidates come, in which order, and when there is nothing to wait for."""

from __future__ import annotations

from dataclasses import replace

from composable.auto.candidate_list import Upcoming
from composable.modality import candidates, families
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem

FACTS = DataFacts(Problem((Head("y", "regression", ("y",)),), "rmse"), 500, {"numbers": 5}, ())
PORTFOLIO = tuple(candidates(FACTS, seed=0))
FAMILIES = families(FACTS, PORTFOLIO)
MLP = PORTFOLIO[-1]


def upcoming(*, most=20, suggesting=True, portfolio=PORTFOLIO[-2:], last=100):
    def suggestion(number):
        return replace(MLP, name=f"mlp_{number}") if number < last else None

    return Upcoming(iter(portfolio), portfolio, FAMILIES, FAMILIES, suggestion, most, suggesting)


def all_names(found):
    names = []
    while (one := found.next()) is not None:
        names.append(one.name)
    return names


def test_suggestions_follow_the_portfolio_up_to_the_cap():
    assert all_names(upcoming(most=4)) == ["tabm_mini_small", "mlp", "mlp_0", "mlp_1"]
    assert all_names(upcoming(most=1)) == ["tabm_mini_small"]
    assert all_names(upcoming(last=1)) == ["tabm_mini_small", "mlp", "mlp_0"]


def test_what_may_still_come_is_counted_whatever_was_looked_at():
    found = upcoming(most=4)
    assert [one and one.name for one in found.to_come] == ["tabm_mini_small", "mlp", None, None]
    found.next()
    assert [one and one.name for one in found.to_come] == ["mlp", None, None]
    found.next_network([])
    assert [one and one.name for one in found.to_come] == ["mlp", "mlp_0", "mlp_1"]
    assert len(upcoming(most=1).to_come) == 1
    assert len(upcoming(most=9, suggesting=False).to_come) == 2


def test_they_come_later_where_folds_come_first():
    found = upcoming(most=3, suggesting=False)
    assert all_names(found) == ["tabm_mini_small", "mlp"]
    assert found.begin_suggesting()
    assert all_names(found) == ["mlp_0"]
    assert not found.begin_suggesting()


def test_they_are_numbered_on_from_those_of_an_earlier_session():
    earlier = (MLP, replace(MLP, name="mlp_0"), replace(MLP, name="mlp_1"))
    assert all_names(upcoming(most=4, portfolio=earlier)) == ["mlp", "mlp_0", "mlp_1", "mlp_2"]


def test_they_wait_for_what_they_are_made_by_and_nothing_else():
    found = upcoming()
    found.next()
    assert not found.waits_for(["tabm_mini_small"])  # the portfolio's last one is known
    found.next()
    assert found.waits_for(["mlp"])
    assert found.next_network(["mlp"]) is None
    assert not found.waits_for([])
    assert found.next().name == "mlp_0"
    assert found.next_network(["mlp_0"]).name == "mlp_1"


def test_a_suggestion_without_time_ends_them_and_a_candidate_of_the_portfolio_does_not():
    found = upcoming()
    found.skipped(found.next())
    assert [found.next().name for _ in range(2)] == ["mlp", "mlp_0"]
    found.next_network([])
    found.skipped(replace(MLP, name="mlp_0"))
    assert found.next() is None
