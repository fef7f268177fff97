"""Stems for tables: from clean features to the first vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def concatenated(x: Mapping[str, Any]) -> Any:
    """The clean features as they are, shape (rows, features)."""
    return x["plain"]


@component
def piecewise_linear(x: Mapping[str, Any], *, width: Count = 16, activation: str | None = None) -> Any:
    """Piecewise-linear embeddings beside the clean features (Gorishniy et al. 2022, section 3.1).

    Args:
        x: `plain` and `bins` of the pre-stem.
        width: The length of each number's embedding.
        activation: None as in TabM (its version B), "relu" as in the first paper.

    Returns:
        Shape (rows, features + numbers * width).
    """
    if "bins" not in x:
        return x["plain"]
    numbers = int(x["bins"].shape[1])
    embedded = layers.EinsumDense(
        "bft,ftd->bfd", (numbers, width), bias_axes="fd", activation=activation, name="piecewise_linear"
    )(x["bins"])
    return layers.Concatenate()([x["plain"], layers.Flatten()(embedded)])
