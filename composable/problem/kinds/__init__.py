"""The kinds of targets, each one file; everything else calls `kind_of` and treats them alike."""

from __future__ import annotations

from composable.problem.kinds.binary import BINARY
from composable.problem.kinds.mask import MASK
from composable.problem.kinds.multiclass import MULTICLASS
from composable.problem.kinds.multilabel import MULTILABEL
from composable.problem.kinds.regression import REGRESSION
from composable.problem.kinds.target_kind import ScoredRows, TargetKind
from composable.problem.problem import Head, Problem

KINDS: dict[str, TargetKind] = {
    kind.name: kind for kind in (REGRESSION, BINARY, MULTICLASS, MULTILABEL, MASK)
}


def kind_of(head: Head) -> TargetKind:
    """The kind of target that a head answers."""
    return KINDS[head.kind]


def answers_pixels(problem: Problem) -> bool:
    """Whether the answers are maps: a class for every pixel."""
    return any(kind_of(head).answer_axes for head in problem.heads)


__all__ = ["KINDS", "ScoredRows", "TargetKind", "answers_pixels", "kind_of"]
