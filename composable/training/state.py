"""What a training is at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class State:
    """Everything that a training needs to go on as if nothing had happened.

    Attributes:
        arrays: Weights, optimizer slots, random states: any shape, any type of number (also those of
            ml_dtypes, such as bfloat16). They come back from a checkpoint bit for bit.
        facts: Epoch, history, counters, seeds: plain JSON with text as keys. Floats come back exactly, NaN
            and the infinities too; tuples come back as lists.
    """

    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
