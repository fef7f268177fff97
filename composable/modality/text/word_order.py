"""Networks that read words in their order: worth trying on texts where there is much time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.closed_form import joined_id_sets
from composable.design.cost import cost
from composable.design.inputs import Input
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.training.candidate import Candidate
from composable.zoo.dpcnn import dpcnn
from composable.zoo.text_cnn import text_cnn
from composable.zoo.text_transformer import text_transformer

_WIDTH = 64  # of word vectors and of all maps
_SHARE = 0.3  # of the time, that one of them may take
_UNTIMED = 600.0  # seconds, where there is no time limit
_EPOCHS = 5  # that a network should be able to take in that time
_ROTATIONS = 4  # that are trained at least
_TRAINING = 6  # additions and multiplications forward and back, for each multiply-add forward
_ENCODER, _CONVOLUTIONS = 2.5e10, 6e9  # of those in a second, on two cores


def word_order_networks(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """A small Transformer encoder, a TextCNN and a DPCNN, those that the time allows.

    Linear models of n-grams do as well on few texts, in a hundredth of the time; but these err elsewhere,
    which the ensemble makes use of, and the encoder can be pre-trained (`--stage pretrain`).

    Args:
        facts: Says the tasks, the number of rows and the lengths of the texts.
        seconds: For all candidates together.
    """
    most = _SHARE * (seconds if math.isfinite(seconds) else _UNTIMED)
    length, vocabulary = facts.widths["words"], facts.vocabularies["words"]
    encoder = text_transformer(
        vocabulary=vocabulary, longest=length, width=_WIDTH, heads=4, blocks=2, dropout=0.2
    )
    networks = {
        "text_transformer": (encoder, _ENCODER),
        "text_cnn": (
            text_cnn(vocabulary=vocabulary, width=_WIDTH, widths=(2, 3, 4), filters=_WIDTH),
            _CONVOLUTIONS,
        ),
        "dpcnn": (dpcnn(vocabulary=vocabulary, filters=_WIDTH, blocks=None, dropout=0.3), _CONVOLUTIONS),
    }
    settings = word_settings(facts)
    for name, (network, speed) in networks.items():
        whole = replace(network, prestem=_words(vocabulary)).with_tasks(*facts.tasks)
        if _work(whole, facts) / speed <= most:
            yield Candidate(name, whole, settings)


def word_settings(facts: DataFacts) -> Settings:
    """How networks that read words are trained."""
    return Settings(
        learning_rate=1e-3, weight_decay=0.01, batch_size=min(64, facts.batch_size), patience=3, epochs=60
    )


def _words(vocabulary: int) -> Part:
    """Of all inputs, the words in their order."""
    return Part(joined_id_sets, id_sets=("words",), sizes=(vocabulary,))


def _work(network: Architecture, facts: DataFacts) -> float:
    """How many additions and multiplications its training takes."""
    shapes = {name: Input((width,), "int32") for name, width in facts.widths.items()}
    model, _ = outline(network, shapes)
    return _TRAINING * cost(model).multiply_adds * facts.rows * _EPOCHS * _ROTATIONS
