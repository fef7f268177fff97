"""Rows that are read in more than one way: other inputs beside those of a table, series as numbers of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

import numpy as np

from composable.design import Part
from composable.design.part import Component
from composable.modality.facts import DataFacts
from composable.modality.modality import Modality, Notify
from composable.modality.table import TABLE
from composable.search.space import OpenCandidate
from composable.training.candidate import Candidate, Material

_MOST_MIXED = 6  # candidates, where networks for tables don't read all inputs


def beside_table(others: Sequence[Modality]) -> Modality:
    """Rows of a table in which the inputs of other modalities lie beside the table's own."""
    unread = [one for one in others if not one.in_tables]  # networks for tables don't see these inputs
    altered = [one.augment for one in others if one.augment is not None]

    def every(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
        beside = [candidate for one in others for candidate in one.beside(facts, seconds)]
        facts, parts = _as_numbers(facts, unread)
        found = _of_table(facts, parts, seconds) if facts.widths else iter(())
        yield from (one for one in beside if one.solver is not None)
        yield from islice(found, 1)
        yield from (one for one in beside if one.solver is None)
        yield from found

    def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
        return islice(every(facts, seconds), _MOST_MIXED if unread else None)

    def space(facts: DataFacts) -> tuple[OpenCandidate, ...]:
        facts, parts = _as_numbers(facts, unread)
        return _space_of_table(facts, parts) if facts.widths else ()

    def augment(
        facts: DataFacts,
        material: Material,
        train: np.ndarray,
        names: Sequence[str],
        seed: int,
        notify: Notify,
    ) -> DataFacts:
        for each in altered:
            facts = each(facts, material, train, names, seed, notify)
        return facts

    known = [*unread, TABLE, *(one for one in others if one.in_tables)]
    pretexts: dict[str, Component] = {}
    for one in known:
        pretexts = {**pretexts, **one.pretexts, **pretexts}
    return replace(
        TABLE,
        inputs=frozenset[str]().union(*(one.inputs for one in known)),
        columns=frozenset[str]().union(*(one.columns for one in known)),
        candidates=candidates,
        space=space,
        settings=known[0].settings,
        baseline=replace(TABLE.baseline, first=any(one.baseline.first for one in known)),
        pretexts=pretexts,
        augment=augment if altered else None,
        worst_errors={file: explain for one in known for file, explain in one.worst_errors.items()},
        readable=frozenset[str]().union(*(one.readable for one in known)),
    )


def also_as_table(modality: Modality) -> Modality:
    """Rows of one modality, whose inputs networks for tables see as numbers where that is sensible."""

    def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
        found = modality.candidates(facts, seconds)
        facts, parts = _as_numbers(facts, [modality])
        if not parts:
            yield from found
            return
        table, own = list(_of_table(facts, parts, seconds)), list(found)
        yield from (one for one in (*own, *table) if one.solver is not None)  # these take seconds
        trained = ([one for one in each if one.solver is None] for each in (table, own))
        yield from (one for pair in zip_longest(*trained) for one in pair if one is not None)

    def space(facts: DataFacts) -> tuple[OpenCandidate, ...]:
        own = modality.space(facts)
        facts, parts = _as_numbers(facts, [modality])
        return (*own, *_space_of_table(facts, parts)) if parts else own

    readable = modality.readable | TABLE.readable
    return replace(modality, candidates=candidates, space=space, readable=readable)


def _as_numbers(facts: DataFacts, unread: Sequence[Modality]) -> tuple[DataFacts, list[Part]]:
    """The facts that networks for tables go by, and what makes numbers of inputs that they don't know."""
    parts: list[Part] = []
    for one in unread:
        if (found := one.as_numbers(facts)) is not None:
            count, part = found
            parts.append(part)
            widths = {**facts.widths, "numbers": facts.widths.get("numbers", 0) + count}
            facts = replace(facts, widths=widths)
    return facts, parts


def _of_table(facts: DataFacts, parts: Sequence[Part], seconds: float) -> Iterator[Candidate]:
    """The candidates for tables, these parts in front of each."""
    for candidate in TABLE.candidates(facts, seconds):
        yield _behind(parts, candidate)


def _space_of_table(facts: DataFacts, parts: Sequence[Part]) -> tuple[OpenCandidate, ...]:
    """The families for tables, these parts in front of each."""
    return tuple(replace(one, usual=_behind(parts, one.usual)) for one in TABLE.space(facts))


def _behind(parts: Sequence[Part], candidate: Candidate) -> Candidate:
    design = candidate.architecture
    prestem = (*parts, design.prestem) if parts else design.prestem
    return replace(candidate, architecture=replace(design, prestem=prestem))
