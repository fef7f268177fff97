"""`--design` on texts: designs that read words, and any other."""

from __future__ import annotations

import pytest

from composable.design import Input
from composable.design.building import outline
from composable.modality import candidates
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.zoo.catalog.parse import parse_design

WIDTHS = {"words": 700, "ngrams": 30}
FACTS = DataFacts(
    Problem((Head("price", "regression", ("price",)),), "rmse"), 100, WIDTHS, (), {"words": 50, "ngrams": 60}
)


@pytest.mark.parametrize(
    "design",
    [
        "text_transformer(width=8, heads=2, blocks=1)",
        "text_cnn(width=8, filters=4)",
        "fasttext(buckets=64)",
        "hashed_ngrams(buckets=64)",
    ],
)
def test_a_design_is_fitted_to_the_vocabulary_and_the_length_of_texts(design):
    first = next(candidates(FACTS, seed=0, design=parse_design(design)))
    model, _ = outline(first.architecture, {name: Input((width,), "int32") for name, width in WIDTHS.items()})
    assert model.output_shape == (None, 1)
    assert model.count_params() < 30_000


def test_a_design_for_tables_reads_the_latent_features_of_texts():
    first = next(candidates(FACTS, seed=0, design=parse_design("mlp(units=8)")))
    model, _ = outline(first.architecture, {name: Input((width,), "int32") for name, width in WIDTHS.items()})
    assert model.output_shape == (None, 1)
