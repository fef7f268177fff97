"""Hashed n-grams: a linear model of the words and word n-grams of a text.

Wang & Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (ACL 2012), has
the bag of words and word pairs; Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning",
arXiv:0902.2206, numbers them without a dictionary: here inside the model.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.closed_form import unpooled
from composable.design.metaparameters import Count, checked
from composable.design.tasks import classifier
from composable.design.text import hashed_ngrams as ngrams_of
from composable.design.text import known


@component
def ngram_ids(x: Any, *, longest: Count, buckets: Count) -> Any:
    """Word ids to the ids of all n-grams of one to `longest` words, 0 where there is none."""
    return ops.concatenate(
        [ngrams_of(x, length=length, buckets=buckets) for length in range(1, longest + 1)], axis=1
    )


@component
def weighted_sum(x: Any, *, units: Count, buckets: Count, name: str) -> Any:
    """A weight per n-gram and score, and a bias; the id set is scaled to length one."""
    there = known(x)
    weights = layers.Embedding(buckets + 1, units, embeddings_initializer="zeros", name=f"{name}_weights")(x)
    bias = layers.Embedding(1, units, embeddings_initializer="zeros", name=f"{name}_bias")(
        ops.zeros_like(x[:, 0])
    )
    length = ops.sqrt(ops.maximum(ops.sum(there, axis=1), 1.0))
    total: Any = ops.sum(weights * there, axis=1)
    return layers.Add(name=name)([total / length, bias])


@checked
def hashed_ngrams(
    *, classes: Count = 2, longest: Count | Open = 2, buckets: Count | Open = 2**18
) -> Architecture:
    """The linear model.

    Args:
        classes: How many there are.
        longest: Words in an n-gram, at most.
        buckets: Into which the n-grams are hashed; some share one.
    """
    return Architecture(
        stem=Part(ngram_ids, longest=longest, buckets=buckets),
        tasks=Part(
            classifier, classes=classes, pool=Part(unpooled), scores=Part(weighted_sum, buckets=buckets)
        ),
    )


@checked
def hashed_ngrams_space(*, classes: Count = 2) -> Architecture:
    """How long the n-grams are, and how many buckets there are for them."""
    buckets = Choice((2**14, 2**16, 2**18), name="buckets")
    return hashed_ngrams(classes=classes, longest=Between(1, 3), buckets=buckets)
