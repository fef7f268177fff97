"""Families for tables (numbers, dates, categories and hashed texts, by name), for text and for series.

Text comes as ids of words, a series as numbers step by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from composable.design.inputs import Input, Inputs
from composable.zoo.catalog.family import Family, Smallest

_TABLE: Inputs = {"numbers": Input((10,))}
_COLUMNS: Inputs = {"numbers": Input((3,)), "categories": Input((2,), "int32")}
_CODES = (4, 20)  # one category column that is one-hot, one that is embedded
_WORDS = Input((None,), "int32")
_FEW_WORDS = Input((6,), "int32")
SEQUENCES = (
    Family(
        "hashed_ngrams",
        "text",
        "Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning, arXiv:0902.2206",
        {"hashed_bigrams": {}, "hashed_trigrams": {"longest": 3}},
        Smallest({"classes": 3, "buckets": 64}, _FEW_WORDS),
        _WORDS,
        module="ngrams",
    ),
    Family(
        "fasttext",
        "text",
        "Joulin et al. 2016, Bag of Tricks for Efficient Text Classification, arXiv:1607.01759",
        {"fasttext_words": {"longest": 1}, "fasttext_bigrams": {"buckets": 10_000_000}},
        Smallest({"classes": 3, "vocabulary": 8, "buckets": 64}, _FEW_WORDS),
        _WORDS,
        module="ngrams",
    ),
    Family(
        "text_cnn",
        "text",
        "Kim 2014, Convolutional Neural Networks for Sentence Classification, arXiv:1408.5882",
        {"text_cnn": {}},
        Smallest({"classes": 3, "vocabulary": 8, "width": 8, "widths": (2, 3), "filters": 4}, _FEW_WORDS),
        _WORDS,
    ),
    Family(
        "dpcnn",
        "text",
        "Johnson & Zhang 2017, Deep Pyramid Convolutional Neural Networks for Text Categorization (ACL)",
        {"dpcnn": {}},
        Smallest({"classes": 3, "vocabulary": 8, "filters": 8, "blocks": 2}, _FEW_WORDS),
        _WORDS,
        module="text_cnn",
    ),
    Family(
        "text_transformer",
        "text",
        "Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762",
        {"text_transformer": {}},
        Smallest(
            {
                "classes": 3,
                "vocabulary": 8,
                "longest": 8,
                "width": 8,
                "heads": 2,
                "blocks": 1,
                "dropout": 0.0,
            },
            _FEW_WORDS,
        ),
        _WORDS,
    ),
    Family(
        "minirocket",
        "series",
        "Dempster et al. 2021, MiniRocket: A Very Fast (Almost) Deterministic Transform, arXiv:2012.08791",
        {"minirocket": {}},
        Smallest({"classes": 3, "features": 168, "max_dilations": 2}, (18, 2)),
        (150, 1),
    ),
    Family(
        "inception_time",
        "series",
        "Ismail Fawaz et al. 2020, InceptionTime: Finding AlexNet for Time Series, arXiv:1909.04939",
        {"inception_time": {}},
        Smallest({"classes": 3, "blocks": 1, "filters": 4, "kernel_size": 4, "bottleneck": 2}, (8, 2)),
        (None, 1),
        module="series_cnn",
    ),
    Family(
        "tcn",
        "series",
        "Bai et al. 2018, An Empirical Evaluation of Generic Convolutional and Recurrent Networks, "
        "arXiv:1803.01271",
        {"tcn_sequential_mnist": {"classes": 10}},
        Smallest({"classes": 3, "blocks": 2, "filters": 4, "kernel_size": 2}, (8, 2)),
        (None, 1),
        {"tcn_sequential_mnist": (784, 1)},
        module="series_cnn",
    ),
    Family(
        "lstm_stack",
        "series",
        "Graves et al. 2013, Speech Recognition with Deep Recurrent Neural Networks, arXiv:1303.5778",
        {
            "lstm_stack": {},
            "bilstm_3_250": {"classes": 62, "units": (250,) * 3, "bidirectional": True},
            "bilstm_5_250": {"classes": 62, "units": (250,) * 5, "bidirectional": True},
        },
        Smallest({"classes": 3, "units": (4,)}, (6, 2)),
        (None, 1),
        {"bilstm_3_250": (None, 123), "bilstm_5_250": (None, 123)},
        module="recurrent",
    ),
    Family(
        "gru_stack",
        "series",
        "Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder, arXiv:1406.1078",
        {"gru_stack": {}},
        Smallest({"classes": 3, "units": (4,), "bidirectional": True}, (6, 2)),
        (None, 1),
        module="recurrent",
    ),
)


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
        module="mlp",
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
        "boosted_trees",
        "table",
        "Friedman 2001, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 29",
        {"boosted_trees": {}},
        _small(rounds=2, leaves=4),
        _TABLE,
    ),
    Family(
        "forest",
        "table",
        "Breiman 2001, Random Forests, Machine Learning 45; Geurts et al. 2006, Extremely Randomized Trees",
        {"forest": {}},
        _small(trees=2, nodes=8, depth=2),
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
        module="mlp",
    ),
)
