"""Texts: columns of words, read as n-grams and as words in their order."""

from __future__ import annotations

from dataclasses import replace

from composable.design import Architecture, Part
from composable.design.metaparameters import names
from composable.design.prestems import select_input
from composable.explain.text_errors import text_errors
from composable.modality.boosting import GRADIENT_BOOSTING
from composable.modality.designed import changed_parts, every_part, fit_to_table
from composable.modality.facts import DataFacts
from composable.modality.modality import Modality
from composable.modality.text.portfolio import candidates, closed_form, portfolio_size
from composable.modality.text.word_order import word_settings
from composable.training.stages.pretrain.masked_words import masked_words


def fit_design(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with the tasks of these rows.

    One that reads ids of words is told their number and the length of the texts; any other is given one
    vector per row.
    """
    if not any({"vocabulary", "buckets"} & set(names(part.component)) for part in every_part(design.stem)):
        return fit_to_table(design, facts)
    sizes = {"vocabulary": facts.vocabularies["words"], "positions": facts.widths["words"]}

    def fitted(part: Part) -> Part:
        return part.replace(**{name: size for name, size in sizes.items() if name in names(part.component)})

    prestem = (Part(select_input, name="words"), design.prestem)
    stem, learner = (changed_parts(parts, fitted) for parts in (design.stem, design.learner))
    return replace(design, prestem=prestem, stem=stem, learner=learner).with_tasks(*facts.tasks)


TEXT = Modality(
    name="text",
    inputs=frozenset({"words", "ngrams", "characters"}),
    columns=frozenset({"text"}),
    designs=("text", "table"),
    candidates=candidates,
    portfolio_size=portfolio_size,
    settings=word_settings,
    fit_design=fit_design,
    baseline=GRADIENT_BOOSTING,
    pretexts={"mask": Part(masked_words)},
    beside=closed_form,
    worst_errors={"texts.json": text_errors},
)
