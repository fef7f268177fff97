"""How networks are trained can be set by a user, setting by setting."""

from __future__ import annotations

from dataclasses import fields, replace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.design.part import Part
from composable.engine.averaging import EMA, SWA, Lookahead
from composable.engine.optimizer import BIASES, Group, Optimizer
from composable.engine.regulation import follow_gap
from composable.engine.rules import Rule
from composable.engine.schedules import cosine, warmed
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.overrides import OPTIONS_OF_THEIR_OWN, READERS, overridden, read_overrides
from tests.engine.cohorts import cohort, instance

BASE = Settings(optimizer=Optimizer(Rule("adam"), (BIASES,), clip=1.0), cutmix=1.0)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("learning_rate=1e-3", "learning_rate", 0.001),
        (" batch_size = 64 ", "batch_size", 64),
        ("patience=none", "patience", None),
        ("patience=3", "patience", 3),
        ("sam=0.05", "sam", 0.05),
        ("precision=bfloat16", "precision", "bfloat16"),
        ("averaging=ema", "averaging", EMA()),
        ("averaging=ema(decay=0.5)", "averaging", EMA(0.5)),
        ("averaging=swa(start=0.5)", "averaging", SWA(0.5)),
        ("averaging=lookahead(every=3)", "averaging", Lookahead(3)),
        ("averaging=none", "averaging", None),
        ("regulation=follow_gap(tolerance=0.2)", "regulation", Part(follow_gap, tolerance=0.2)),
        ("dropout_schedule=cosine", "dropout_schedule", Part(cosine)),
        (
            "learning_rate_schedule=warmed(then='cosine', share=0.1)",
            "learning_rate_schedule",
            Part(warmed, then=Part(cosine), share=0.1),
        ),
    ],
)
def test_a_setting_takes_the_place_of_that_of_the_candidate(text, name, value):
    found = overridden(BASE, read_overrides([text]))
    assert found == replace(BASE, **{name: value})


def test_the_optimizer_keeps_what_is_not_set():
    found = overridden(BASE, read_overrides(["optimizer=lion(beta_1=0.8)", "accumulate=2"]))
    assert found.optimizer == Optimizer(Rule("lion", {"beta_1": 0.8}), (BIASES,), clip=1.0, accumulate=2)
    assert overridden(BASE, read_overrides(["clip=none"])).optimizer.clip is None


def test_muon_leaves_what_is_no_matrix_to_the_rule_that_was_there():
    found = overridden(BASE, read_overrides(["optimizer=muon(momentum=0.6)"]))
    assert found.optimizer.rule == Rule("adam")
    assert found.optimizer.groups == (BIASES, Group("", rule=Rule("muon", {"momentum": 0.6})))
    found.optimizer.build([keras.Variable(np.ones((3, 2)), name="kernel"), keras.Variable(np.ones(2))])


def test_rows_are_mixed_as_the_user_says():
    found = overridden(BASE, read_overrides(["mixup=0.2"]))
    assert (found.mixup, found.cutmix) == (0.2, 0.0)


def test_every_setting_can_be_set_here_or_by_an_option_of_its_own():
    assert {one.name for one in fields(Settings)} <= {*READERS, *OPTIONS_OF_THEIR_OWN}


@pytest.mark.parametrize(
    "text", ["sam=0.05", "averaging=lookahead", "regulation=follow_gap", "hardest_share=0.5"]
)
def test_a_network_is_trained_so(text):
    one = instance(epochs=2)
    one = replace(one, settings=overridden(one.settings, read_overrides([text])))
    (history,) = train(cohort(one), deadline=Deadline())
    assert len(history.epochs) == 2
    assert np.isfinite(history.best)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["lerning_rate=1"], "learning_rate"),
        (["learning_rate"], "NAME=VALUE"),
        (["epochs=3"], "--max-epochs"),
        (["augment=flip"], "--augment"),
        (["batch_size=8", "batch_size=9"], "batch_size twice"),
        (["batch_size=many"], "a whole number"),
        (["batch_size=2.5"], "a whole number"),
        (["batch_size=0"], "at least 1"),
        (["batch_size=none"], "a whole number"),
        (["learning_rate=nan"], "at least 0"),
        (["learning_rate=inf"], "at least 0"),
        (["label_smoothing=2"], "between 0 and 1"),
        (["patience=0"], "at least 1"),
        (["precision=float16"], "bfloat16"),
        (["averaging=emma"], "ema"),
        (["averaging=ema(decay=2)"], "below 1"),
        (["averaging=ema(rate=0.9)"], "ema"),
        (["averaging=ema(decay=__import__('os'))"], "keywords"),
        (["dropout_schedule=cosin"], "cosine"),
        (["dropout_schedule=cosine(stop=1)"], "stop"),
        (["learning_rate_schedule=warmed"], "then"),
        (["optimizer=adamm"], "adam"),
        (["clip=-1"], "positive"),
        (["mixup=0.1", "cutmix=0.1"], "one way"),
    ],
)
def test_a_mistake_is_named(texts, message):
    with pytest.raises(ConfigError) as refused:
        read_overrides(texts)
    assert message in str(refused.value)
