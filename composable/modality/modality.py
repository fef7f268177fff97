"""What a modality is: a way in which rows are data, and what is tried on such rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.design import Architecture, Part
from composable.design.part import Component
from composable.engine.settings import Settings
from composable.explain.explained_model import ExplainedModel
from composable.modality.facts import DataFacts
from composable.search.space import OpenCandidate
from composable.training.candidate import Baseline, Candidate, Material

Notify = Callable[[str], None]
Explain = Callable[[ExplainedModel, Deadline], dict[str, Any]]


@dataclass(frozen=True)
class Modality:
    """A modality.

    Attributes:
        name: Its name.
        inputs: The inputs of the model that are its own.
        columns: The kinds of columns that its inputs are made of.
        designs: The modalities of the catalog whose designs it can learn with.
        candidates: What is worth trying, the surest first: (facts, seconds for all together) -> the
            portfolio.
        settings: How a user's own design is trained.
        fit_design: A user's own design with the tasks of these rows, and what must be known of their inputs.
        baseline: What networks have to beat.
        pretexts: What `--stage pretrain=NAME` learns without labels; the first one is meant without a name.
        beside: What is worth trying where such inputs lie beside those of other modalities: (facts, seconds)
            -> candidates.
        space: Families of the portfolio with what is open in each; of the others, rate and decay are.
        in_tables: Whether networks for tables read its inputs too.
        as_numbers: How networks for tables may read inputs that they don't know: how many numbers they are,
            and the component that makes them of all inputs. None where they had better not.
        augment: What may be done to rows, as a user asks by names, or as it is measured on training rows:
            (facts, material, numbers of the training rows, names, seed, notify) -> facts. None where nothing
            may.
        worst_errors: Which rows are predicted worst and why, by the file of the run that each fills.
        check_design: Refuses a design that can't answer: (design built, its name, facts).
        readable: The names of candidates of which a person can read what they do: linear ones.
        targets: The kinds of targets that it is for; those that no other modality is for, if empty.
    """

    name: str
    inputs: frozenset[str]
    columns: frozenset[str]
    designs: tuple[str, ...]
    candidates: Callable[[DataFacts, float], Iterator[Candidate]]
    settings: Callable[[DataFacts], Settings]
    fit_design: Callable[[Architecture, DataFacts], Architecture]
    baseline: Baseline
    pretexts: Mapping[str, Component]
    beside: Callable[[DataFacts, float], Iterable[Candidate]] = lambda _facts, _seconds: ()
    space: Callable[[DataFacts], tuple[OpenCandidate, ...]] = lambda _facts: ()
    in_tables: bool = True
    as_numbers: Callable[[DataFacts], tuple[int, Part] | None] = lambda _facts: None
    augment: Callable[[DataFacts, Material, np.ndarray, Sequence[str], int, Notify], DataFacts] | None = None
    worst_errors: Mapping[str, Explain] = field(default_factory=dict)
    check_design: Callable[[Any, str, DataFacts], None] = lambda _model, _name, _facts: None
    readable: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
