"""fastText: the mean of the vectors of words and word pairs, and linear scores.

Joulin, Grave, Bojanowski & Mikolov 2016, "Bag of Tricks for Efficient Text Classification", arXiv:1607.01759,
section 2 and table 1 (h = 10). Word pairs are hashed, words are not; softmax is flat, not hierarchical.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, checked
from composable.design.tasks import classifier, dense_scores
from composable.design.text import hashed_ngrams, known, mean_of_words


@component
def with_ngrams(x: Any, *, vocabulary: Count, longest: Count, buckets: Count) -> Any:
    """The word ids, and after them an id from `vocabulary` on for every n-gram of two to `longest` words."""
    found = [x]
    for length in range(2, longest + 1):
        hashed = hashed_ngrams(x, length=length, buckets=buckets)
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
