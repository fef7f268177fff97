"""Progressive resizing: networks begin on smaller images, of which many more are seen in a second.

Howard 2018, "Training ImageNet in 3 hours for 25 minutes" (fast.ai); Tan & Le 2021, "EfficientNetV2: Smaller
Models and Faster Training", arXiv:2104.00298, section 4. It takes a network whose weights are the same for
images of any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from keras import ops

from composable.engine.rows import on_host

_ROWS = 2048  # resized at once


@dataclass(frozen=True)
class Small:
    """How a network begins.

    Attributes:
        share: Of the time, which it learns from small images.
        scale: Of their sides, below 1.
    """

    share: float = 0.4
    scale: float = 0.5


def shrunk(images: np.ndarray, scale: float) -> np.ndarray:
    """The images with sides so many times as long, each new pixel the mean of those that it covers.

    Args:
        images: (rows, height, width, channels) of uint8.
        scale: Below 1.
    """
    height, width = (max(1, round(scale * side)) for side in images.shape[1:3])
    found = np.empty((len(images), height, width, images.shape[3]), np.uint8)
    for first in range(0, len(images), _ROWS):
        some = images[first : first + _ROWS].astype("float32")
        made = ops.image.resize(some, (height, width), antialias=True, data_format="channels_last")
        found[first : first + _ROWS] = np.clip(np.rint(on_host(made)), 0, 255)
    return found
