"""Words and word n-grams of a text, whatever their order: fastText, and a linear model of hashed n-grams.

Joulin, Grave, Bojanowski & Mikolov 2016, "Bag of Tricks for Efficient Text Classification", arXiv:1607.01759,
section 2 and table 1 (h = 10). Word pairs are hashed, words are not; softmax is flat, not hierarchical.

Wang & Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (ACL 2012), has
the bag of words and word pairs; Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning",
arXiv:0902.2206, numbers them without a dictionary: here inside the model.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, checked
from composable.design.tasks import classifier, dense_scores, unpooled
from composable.design.text import hashed_ngrams as ngrams_of
from composable.design.text import known, mean_of_words


@component
def with_ngrams(x: Any, *, vocabulary: Count, longest: Count, buckets: Count) -> Any:
    """The word ids, and after them an id from `vocabulary` on for every n-gram of two to `longest` words."""
    found = [x]
    for length in range(2, longest + 1):
        hashed = ngrams_of(x, length=length, buckets=buckets)
        found.append(ops.where(ops.equal(hashed, 0), 0, hashed + (vocabulary - 1)))
    return ops.concatenate(found, axis=1)


@component
def vectors(x: Any, *, vocabulary: Count, longest: Count, buckets: Count, width: Count) -> Any:
    """A learned vector for every id; n-grams have a share of the table where there are any."""
    rows = vocabulary + (buckets if longest > 1 else 0)
    small: Any = initializers.RandomUniform(-1 / width, 1 / width)
    return layers.Embedding(rows, width, embeddings_initializer=small, name="vectors")(x), known(x)


@checked
def fasttext(
    *,
    classes: Count = 2,
    vocabulary: Count = 20_000,
    longest: Count | Open = 2,
    buckets: Count | Open = 100_000,
    width: Count | Open = 10,
) -> Architecture:
    """The text classifier of fastText.

    Args:
        classes: How many there are.
        vocabulary: Ids of words, 0 for padding among them.
        longest: Words in a run, at most; 1 for words alone.
        buckets: Into which n-grams are hashed; 10 million in the paper.
        width: Of the vectors.
    """
    return Architecture(
        stem=Part(with_ngrams, vocabulary=vocabulary, longest=longest, buckets=buckets),
        learner=Part(vectors, vocabulary=vocabulary, longest=longest, buckets=buckets, width=width),
        tasks=Part(
            classifier, classes=classes, pool=Part(mean_of_words), scores=Part(dense_scores, use_bias=False)
        ),
    )


@checked
def fasttext_space(*, classes: Count = 2, vocabulary: Count = 20_000) -> Architecture:
    """How long the n-grams are, how many buckets there are for them, and how wide the vectors are."""
    return fasttext(
        classes=classes,
        vocabulary=vocabulary,
        longest=Between(1, 3, name="longest"),
        buckets=Choice((10_000, 50_000, 200_000), name="buckets"),
        width=Between(5, 100, log=True),
    )


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
