"""How long a training takes is learned from those before."""

from __future__ import annotations

import pytest

from composable.search.cost_model import (
    CostModel,
    Timing,
    Work,
    closed_form_timing,
    load_cost_model,
    save_cost_model,
    timing_of,
)

MLP = Work("mlp", layers=20, multiply_adds=1e9, steps=100)


def test_before_anything_was_measured_there_is_a_guess():
    assert CostModel().expected(MLP).compiling > 0
    assert CostModel().least_seconds(MLP) > CostModel().expected(MLP).compiling


def test_the_same_candidate_takes_what_it_took_before_by_its_size():
    model = CostModel().learned(Timing(MLP, 5.0, 2.0)).learned(Timing(Work("other", 9, 1e6, 9), 50.0, 9.0))
    found = model.expected(Work("mlp", 20, 3e9, 300))
    assert (found.compiling, found.epoch) == (5.0, pytest.approx(6.0))


def test_another_candidate_is_judged_by_all():
    usual = CostModel().expected(MLP)
    model = CostModel().learned(Timing(MLP, 2 * usual.compiling, 3 * usual.epoch))
    new = Work("new", 40, 2e9, 100)
    found, before = model.expected(new), CostModel().expected(new)
    assert found.compiling == pytest.approx(2 * before.compiling)
    assert found.epoch == pytest.approx(3 * before.epoch)


def test_a_tiny_network_does_not_make_large_ones_look_endless():
    tiny = Work("linear", 10, 1e5, 20)
    model = CostModel().learned(Timing(tiny, 2.0, 0.1))
    large = Work("mlp", 20, 1e9, 20)
    assert model.expected(large).epoch < 5 * CostModel().expected(large).epoch


def test_few_steps_an_epoch_mean_more_epochs_before_a_network_is_of_use():
    model = CostModel().learned(Timing(MLP, 5.0, 2.0))
    assert model.least_seconds(MLP) == pytest.approx(5.0 + 3 * 2.0)
    assert model.least_seconds(Work("mlp", 20, 1e9, 1000)) == pytest.approx(7.0)


def test_the_first_epoch_may_have_compiled():
    assert timing_of(MLP, [9.0, 1.0, 1.0], 12.0) == Timing(MLP, 9.0, 1.0)


def test_measurements_are_kept_on_disk(tmp_path):
    model = CostModel().learned(Timing(MLP, 5.0, 2.0))
    save_cost_model(model, tmp_path)
    assert load_cost_model(tmp_path) == model


def test_a_damaged_file_is_no_measurement(tmp_path):
    (tmp_path / "costs.json").write_text("[{")
    assert load_cost_model(tmp_path) == CostModel()
    assert load_cost_model(None) == CostModel()


def test_closed_form_fits_are_one_pass_and_are_compiled_once_more_to_be_deployed():
    work = Work("minirocket", layers=20, multiply_adds=1e9, steps=0)
    timing = closed_form_timing(work, 6.0)
    assert timing.compiling + timing.epoch == pytest.approx(6.0)
    model = CostModel().learned(timing)
    assert model.least_seconds(work) == pytest.approx(6.0 + timing.compiling)
    more = Work("minirocket", 20, 5e9, 0)
    assert model.least_seconds(more) == pytest.approx(2 * timing.compiling + 5 * timing.epoch)


def test_closed_form_fits_do_not_measure_how_long_networks_take():
    solved = Work("minirocket", layers=20, multiply_adds=1e9, steps=0)
    model = CostModel().learned(closed_form_timing(solved, 60.0))
    assert model.expected(MLP) == CostModel().expected(MLP)
    other = Work("kernel", 20, 1e9, 0)
    assert model.expected(other).epoch > 2 * CostModel().expected(other).epoch
