"""Where a model of series errs, and which windows of time decided: `series.json`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.data.series import SERIES, lengths_of
from composable.explain.explained_model import ExplainedModel, worst_errors
from composable.problem.kinds import kind_of

WORST = 12  # errors
WINDOWS = 12  # of a series, each left out once
_POINTS, _CHANNELS = 500, 8  # that are kept of a series for drawing


def series_errors(model: ExplainedModel, deadline: Deadline) -> dict[str, Any]:
    """The content of `series.json`, see docs/run-folder.md; what the deadline cuts off is left out."""
    observed, predicted = model.observed[0], model.predicted[0]
    entries = []
    for row in worst_errors(model.head, observed, predicted, most=WORST).tolist():
        values = model.inputs[SERIES][row]
        entry = {
            "row": int(model.frame.index[row]) + 1,
            "channels": drawn(values),
            **kind_of(model.head).effects.outcome(model.head, observed[row], predicted[row]),
        }
        if deadline.remaining > 0:
            entry["windows"] = deciding_windows(model, row)
        entries.append(entry)
    return {"format": "composable.series/1", "head": model.head.name, "errors": entries}


def deciding_windows(model: ExplainedModel, row: int) -> list[list[float]]:
    """How much each window of a series speaks for the answer: [first step, step after the last, effect].

    Occlusion (Zeiler & Fergus 2013, arXiv:1311.2901, section 4.2): the window's numbers count as missing, so
    that the network fills them in as it always does. Effects are log odds, or numbers.
    """
    inputs = {name: values[row : row + 1] for name, values in model.inputs.items()}
    length = max(2, int(lengths_of(inputs[SERIES])[0]))
    edges = np.unique(np.linspace(0, length, min(WINDOWS, length) + 1).astype(int))
    copies = {name: np.repeat(values, len(edges), axis=0) for name, values in inputs.items()}
    copies[SERIES] = copies[SERIES].copy()
    for number, (first, end) in enumerate(pairwise(edges), 1):
        copies[SERIES][number, first:end] = np.nan
    known = kind_of(model.head).effects
    scores = known.additive(model.predict(copies)[0])
    direction = known.error_direction(model.observed[0][row], model.predicted[0][row])
    effects = (scores[0] - scores[1:]) @ direction
    spans = zip(pairwise(edges), effects, strict=True)
    return [[float(first), float(end), float(effect)] for (first, end), effect in spans]


def drawn(values: np.ndarray) -> list[list[list[float]]]:
    """Each channel as pairs of step and number; of long series some of the steps."""
    steps = np.arange(0, len(values), 1 + len(values) // _POINTS)
    found = []
    for channel in range(min(_CHANNELS, values.shape[1])):
        known = steps[~np.isnan(values[steps, channel])]
        found.append([[float(step), float(values[step, channel])] for step in known])
    return found
