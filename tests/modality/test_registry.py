"""Which modality rows have, and what that means for what is tried."""

from __future__ import annotations

from itertools import islice
from typing import get_args

import pytest

from composable.auto.options import Stage
from composable.data.schema import Column, Schema
from composable.modality import MODALITIES, candidates, modality_of, modality_of_columns
from composable.modality.facts import DataFacts, Signal
from composable.problem.problem import Head, Problem

AMOUNT = Problem((Head("price", "regression", ("price",)),), "rmse")
WORDS = {"words": 20, "ngrams": 30}
SIZES = {"words": 50, "ngrams": 60}
IMAGES = {"images": Signal((16, 16, 3), (100.0,) * 3, (50.0,) * 3)}


def names(facts, *, most=20):
    return [one.name for one in islice(candidates(facts, seed=0, seconds=60.0), most)]


@pytest.mark.parametrize(
    ("inputs", "kind", "name"),
    [
        (["numbers", "dates"], "regression", "table"),
        (["words", "ngrams"], "regression", "text"),
        (["images"], "regression", "image"),
        (["images"], "mask", "mask"),
        (["series"], "regression", "series"),
        (["images", "numbers"], "regression", "table"),
        (["series", "numbers"], "regression", "table"),
        (["words", "ngrams", "categories"], "regression", "table"),
        (["images", "words", "ngrams"], "regression", "table"),
    ],
)
def test_rows_have_the_modality_of_their_inputs_and_their_target(inputs, kind, name):
    assert modality_of(inputs, Problem((Head("y", kind, ("y",), (0, 1)),), "")).name == name


@pytest.mark.parametrize(
    ("kinds", "designs"),
    [
        (["image", "image"], ("image",)),
        (["number", "boolean"], ("table",)),
        (["text"], ("text", "table")),
        (["image", "number"], ("table",)),
        (["series"], ("series",)),
    ],
)
def test_designs_are_those_for_the_columns(kinds, designs):
    columns = tuple(Column(f"c{number}", kind) for number, kind in enumerate(kinds))
    assert modality_of_columns(Schema(columns)).designs == designs


def test_texts_beside_numbers_bring_their_closed_form_candidates_first():
    facts = DataFacts(AMOUNT, 100, {"numbers": 2, **WORDS}, (), SIZES)
    trees = ["boosted_trees", "extra_trees"]
    assert names(facts, most=6) == ["text_linear", "text_kernel", "linear", *trees, "tabm_mini"]


def test_images_beside_numbers_bring_a_network_that_reads_both_second():
    facts = DataFacts(AMOUNT, 100, {"numbers": 2}, (), signals=IMAGES)
    found = names(facts)
    assert found[:3] == ["linear", "mixed", "kernel"]
    assert len(found) == 6
    assert modality_of(facts.inputs, facts.problem).baseline.first


def test_images_beside_texts_alone_bring_what_either_brings():
    facts = DataFacts(AMOUNT, 100, WORDS, (), SIZES, IMAGES)
    assert names(facts, most=4) == ["text_linear", "text_kernel", "linear", "mixed"]


def test_series_bring_closed_form_candidates_first_and_beside_numbers_one_that_reads_both():
    waves = {"series": Signal((30, 1), (0.0,), (1.0,))}
    assert names(DataFacts(AMOUNT, 100, {}, (), signals=waves)) == [
        "minirocket",
        "series_linear",
        "series_kernel",
        "kernel",
        "boosted_trees",
        "extra_trees",
        "boosted_trees_small",
        "linear",
        "tcn",
        "tabm_mini",
        "gru",
        "realmlp",
        "inception_time",
        "realmlp_slow",
        "tabm_mini_small",
        "mlp",
    ]
    beside = names(DataFacts(AMOUNT, 100, {"numbers": 2}, (), signals=waves))
    assert beside[:3] == ["minirocket", "linear", "kernel"]


def test_long_series_are_not_read_as_numbers_of_a_table():
    waves = {"series": Signal((3000, 1), (0.0,), (1.0,))}
    facts = DataFacts(AMOUNT, 100, {}, (), signals=waves)
    alone = names(facts)
    assert alone == ["series_linear", "minirocket", "series_kernel", "tcn", "gru", "inception_time"]
    assert next(candidates(facts, seed=0, seconds=600.0)).name == "minirocket"
    beside = DataFacts(AMOUNT, 100, {"numbers": 2}, (), signals=waves)
    (linear,) = (one for one in candidates(beside, seed=0) if one.name == "linear")
    assert "steps_as_numbers" not in repr(linear.architecture.prestem)


def test_several_images_in_a_row_are_looked_at_by_one_network():
    pair = {"images": Signal((16, 16, 6), (100.0,) * 6, (50.0,) * 6, columns=2)}
    facts = DataFacts(AMOUNT, 100, {}, (), signals=pair)
    assert [one.name for one in candidates(facts, seed=0)] == ["mixed"]


def test_the_pretexts_that_options_offer_are_those_of_the_modalities():
    offered = {name.partition("=")[2] for name in get_args(Stage)} - {""}
    assert offered == {name for modality in MODALITIES for name in modality.pretexts}


def test_the_usual_pretext_of_images_beside_a_table_is_that_of_images():
    pretexts = modality_of(["images", "numbers"], AMOUNT).pretexts
    assert next(iter(pretexts)) == "jigsaw"
    assert {"mask", "denoise"} <= set(pretexts)
