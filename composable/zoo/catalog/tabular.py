"""Families for tables: numbers, dates, categories and hashed texts, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from composable.design.inputs import Input, Inputs
from composable.zoo.catalog.family import Family, Smallest

_TABLE: Inputs = {"numbers": Input((10,))}
_COLUMNS: Inputs = {"numbers": Input((3,)), "categories": Input((2,), "int32")}
_CODES = (4, 20)  # one category column that is one-hot, one that is embedded


def _small(**metaparameters: Any) -> Smallest:
    given: Mapping[str, Any] = {"categories": _CODES, **metaparameters}
    return Smallest(given, _COLUMNS)


TABULAR = (
    Family(
        "linear",
        "table",
        "Galton 1886, Cox 1958: linear and logistic regression",
        {"linear": {}},
        _small(),
        _TABLE,
    ),
    Family(
        "mlp",
        "table",
        "Gorishniy et al. 2022, On Embeddings for Numerical Features, arXiv:2203.05556",
        {"mlp": {}},
        _small(units=8, blocks=1, bins=4),
        _TABLE,
    ),
    Family(
        "tabm_mini",
        "table",
        "Gorishniy et al. 2025, TabM: Parameter-Efficient Ensembling, arXiv:2410.24210",
        {"tabm_mini": {}},
        _small(units=8, blocks=1, bins=4),
        _TABLE,
        module="tabm",
    ),
    Family(
        "tabm",
        "table",
        "Gorishniy et al. 2025, TabM: Parameter-Efficient Ensembling, arXiv:2410.24210",
        {"tabm": {}, "tabm_embedded": {"blocks": 2, "bins": 48}},
        _small(count=2, units=8, blocks=2),
        _TABLE,
    ),
    Family(
        "realmlp",
        "table",
        "Holzmüller et al. 2024, Better by Default: Strong Pre-Tuned MLPs, arXiv:2407.04491",
        {"realmlp": {}},
        _small(units=(8,), frequencies=4, dropout=0.0),
        _TABLE,
    ),
    Family(
        "realmlp_s",
        "table",
        "Holzmüller et al. 2024, Better by Default: Strong Pre-Tuned MLPs, arXiv:2407.04491",
        {"realmlp_s": {}},
        _small(units=(8,)),
        _TABLE,
        module="realmlp",
    ),
    Family(
        "ft_transformer",
        "table",
        "Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, arXiv:2106.11959",
        {"ft_transformer": {}},
        _small(width=8, blocks=1, heads=2, attention_dropout=0.0, dropout=0.0),
        _TABLE,
    ),
    Family(
        "resnet_table",
        "table",
        "Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, arXiv:2106.11959",
        {"resnet_table": {}},
        _small(width=8, blocks=1, dropout=0.0),
        _TABLE,
    ),
)
