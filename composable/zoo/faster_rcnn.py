"""Faster R-CNN: one trunk that proposes where objects are, and says what they are.

Ren, He, Girshick & Sun 2015, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
Networks", arXiv:1506.01497, figures 2 and 3; the heads are those of Girshick 2015, "Fast R-CNN",
arXiv:1504.08083.

The model takes an `image` and the `regions` of it to look at: (n, 4) numbers, top, left, bottom, right, as
shares of the image. The component `proposals` makes regions of what the model answers for its anchors: a
first call finds them and a second one looks at them. Non-maximum suppression, and which anchors and regions
are trained to find which object, aren't here yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import layers, ops
from keras.initializers import RandomNormal

from composable.design import Architecture, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.taps import named, tapped

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
Groups = tuple[tuple[Count, Count], ...]


@component
def vgg_trunk(x: Any, *, groups: Groups = VGG16) -> Any:
    """The 3x3 convolutions of VGG, 2x2 max-pooling between the groups: one position per 16 pixels.

    Args:
        x: Images.
        groups: Filters and number of convolutions of each.
    """
    for number, (filters, convolutions) in enumerate(groups):
        x = layers.MaxPooling2D(2)(x) if number else x
        for _ in range(convolutions):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=INITIALIZER)(
                x
            )
    return x


@component
def backbone(x: Mapping[str, Any], *, trunk: Component) -> dict[str, Any]:
    """The trunk over the image, once for all tasks; the regions travel along."""
    return {"features": tapped(trunk(x["image"]), name="trunk"), "regions": x["regions"]}


@component
def region_features(x: Any, *, units: Count = 4096, dropout: Rate = 0.5) -> Any:
    """Two dense layers, the same for every region (VGG's)."""
    _, _, height, width, channels = x.shape
    x = layers.Reshape((-1, height * width * channels))(x)
    for _ in range(2):
        x = layers.Dense(units, activation="relu", kernel_initializer=INITIALIZER)(x)
        x = layers.Dropout(dropout)(x)
    return x


@component
def objectness(x: Any, *, anchors: Count = 9, filters: Count = 512, name: str = "") -> Any:
    """Whether each anchor of each position holds an object (figure 3): no, or yes.

    Its `embedding` is what the network slid over the feature maps sees; `anchor_deltas` reads it as well.
    """
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        activation="relu",
        kernel_initializer=_small(),
        name=named(name, "embedding"),
    )(x)
    x = layers.Conv2D(2 * anchors, 1, kernel_initializer=_small())(x)
    logits = layers.Reshape((-1, 2), name=named(name, "logits"))(x)
    return layers.Softmax(name=named(name, "probabilities"))(logits)


@component
def anchor_deltas(x: Any, *, anchors: Count = 9, name: str = "") -> Any:
    """How far each anchor is from the object's box (section 3.1.2)."""
    x = layers.Conv2D(4 * anchors, 1, kernel_initializer=_small())(x)
    logits = layers.Reshape((-1, 4), name=named(name, "logits"))(x)
    return layers.Identity(name=named(name, "probabilities"))(logits)


@component
def region_classes(x: Any, *, classes: Count, name: str = "") -> Any:
    """What each region shows: background, or one of the other classes."""
    x = layers.Identity(name=named(name, "embedding"))(x)
    logits = layers.Dense(classes, kernel_initializer=_small(), name=named(name, "logits"))(x)
    return layers.Softmax(name=named(name, "probabilities"))(logits)


@component
def region_deltas(x: Any, *, classes: Count, name: str = "") -> Any:
    """How far each region is from the object's box, were it of this class or that."""
    x = layers.Dense(4 * classes, kernel_initializer=_small(0.001))(x)
    logits = layers.Reshape((-1, classes, 4), name=named(name, "logits"))(x)
    return layers.Identity(name=named(name, "probabilities"))(logits)


def _small(stddev: float = 0.01) -> Any:
    """What new layers start with (section 3.1.3); a new one per layer, as each draws its own values."""
    return RandomNormal(stddev=stddev)


@checked
def faster_rcnn(
    *,
    classes: Count = 21,
    groups: Groups | Open = VGG16,
    trunk: Component | Open | None = None,
    anchors: Count = 9,
    filters: Count | Open = 512,
    bins: Count | Open = 7,
    units: Count | Open = 4096,
) -> Architecture:
    """Faster R-CNN, which reads `image` and `regions`, and predicts per anchor and per region.

    Args:
        classes: How many there are, the background among them.
        groups: Of VGG's trunk: filters and number of convolutions of each.
        trunk: Any other way from images to feature maps; None for VGG's.
        anchors: Per position.
        filters: Of the region proposal's convolution.
        bins: Per side of a pooled region.
        units: Of the two dense layers over a region.
    """
    return Architecture(
        learner=(
            Part(backbone, trunk=Part(vgg_trunk, groups=groups) if trunk is None else trunk),
            Part(roi_pooling, bins=bins),
            Part(region_features, units=units),
        ),
        tasks=(
            Task(Part(objectness, anchors=anchors, filters=filters), name="objectness", reads="trunk"),
            Task(Part(anchor_deltas, anchors=anchors), name="anchors", reads="objectness/embedding"),
            Task(Part(region_classes, classes=classes), name="classes"),
            Task(Part(region_deltas, classes=classes), name="boxes"),
        ),
    )


@checked
def faster_rcnn_space(*, classes: Count = 21) -> Architecture:
    """The trunk's depth and width, what proposes regions, and how closely each is looked at."""
    narrow = ((32, 2), (64, 2), (128, 2), (256, 2), (256, 2))
    vgg13 = tuple((filters, 2) for filters, _ in VGG16)
    return faster_rcnn(
        classes=classes,
        groups=Choice((narrow, vgg13, VGG16)),
        filters=Choice((128, 256, 512)),
        bins=Choice((5, 7)),
        units=Choice((512, 1024, 2048)),
    )


@component
def roi_pooling(x: Mapping[str, Any], *, bins: Count = 7) -> Any:
    """Each region's `features` as one small map: bilinear samples, two by two per bin, of which the largest.

    So Chen & Gupta 2017, "An Implementation of Faster RCNN with Study for Region Sampling", arXiv:1702.02138,
    section 2.2. Bilinear sampling is a product with a matrix per axis: nothing but products, on any backend.

    Args:
        x: `features`, (rows, height, width, channels), and `regions`, (rows, n, 4).
        bins: Per side.

    Returns:
        Shape (rows, n, bins, bins, channels).
    """
    features, regions = x["features"], x["regions"]
    top, left, bottom, right = _edges(regions)
    down = _interpolation(top, bottom, features[0, :, 0, 0], samples=2 * bins)
    across = _interpolation(left, right, features[0, 0, :, 0], samples=2 * bins)
    rows = ops.einsum("bnyh,bhwc->bnywc", down, features)
    sampled = ops.einsum("bnxw,bnywc->bnyxc", across, rows)
    paired = layers.Reshape((-1, bins, 2, bins, 2, features.shape[-1]))(sampled)
    return ops.max(paired, axis=(3, 5))


@component
def proposals(
    x: Mapping[str, Any],
    *,
    grid: tuple[Count, Count],
    count: Count = 300,
    stride: Count = 16,
    sizes: tuple[Count, ...] = (128, 256, 512),
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0),
) -> Any:
    """The regions that most likely hold an object, the likeliest first; they may overlap.

    Args:
        x: Per anchor, `objectness` (rows, anchors, 2), of which the second is the probability of an object,
            and `deltas` (rows, anchors, 4), how far the object's box is from the anchor.
        grid: The height and width of the feature maps.
        count: How many regions; all, where there are fewer anchors.
        stride: Pixels per position.
        sizes: In pixels, the sides of square anchors.
        ratios: Of height to width, with the area kept.

    Returns:
        Shape (rows, count, 4).

    Raises:
        ValueError: If the grid's anchors aren't as many as `deltas` is for.
    """
    known = anchors(grid=grid, stride=stride, sizes=sizes, ratios=ratios)
    if x["deltas"].shape[1] not in (None, len(known)):
        raise ValueError(f"A grid of {grid} has {len(known)} anchors, not {x['deltas'].shape[1]}.")
    boxes = ops.clip(moved(ops.convert_to_tensor(known), x["deltas"]), 0.0, 1.0)
    ranked: Any = ops.top_k(x["objectness"][..., 1], min(count, len(known)))
    best: Any = ranked[1]
    return ops.take_along_axis(boxes, ops.expand_dims(best, -1), axis=1)


def anchors(
    *, grid: tuple[int, int], stride: int, sizes: tuple[int, ...], ratios: tuple[float, ...]
) -> np.ndarray:
    """The boxes around every position of a grid, row by row: sizes by ratios of them at each.

    Returns:
        Shape (anchors, 4); those at the border of the image reach beyond it.
    """
    sides = [(size * ratio**0.5, size / ratio**0.5) for size in sizes for ratio in ratios]
    half = np.asarray(sides) / 2 / (stride * np.asarray(grid))
    middle = np.moveaxis(np.indices(grid), 0, -1) + 0.5
    centers = (middle / np.asarray(grid))[:, :, None, :]
    return np.concatenate([centers - half, centers + half], axis=-1).reshape(-1, 4).astype("float32")


def moved(boxes: Any, deltas: Any) -> Any:
    """Boxes moved and resized (Girshick et al. 2014, arXiv:1311.2524, appendix C).

    Args:
        boxes: Shape (..., 4).
        deltas: Shape (..., 4): down and across, in heights and widths of the box, then by which powers of e
            it is higher and wider.
    """
    top, left, bottom, right = _edges(boxes)
    down, across, higher, wider = _edges(deltas)
    height, width = bottom - top, right - left
    middle, center = top + (0.5 + down) * height, left + (0.5 + across) * width
    half_height, half_width = ops.exp(higher) * height / 2, ops.exp(wider) * width / 2
    return ops.concatenate(
        [middle - half_height, center - half_width, middle + half_height, center + half_width], axis=-1
    )


def _edges(boxes: Any) -> list[Any]:
    return [boxes[..., edge : edge + 1] for edge in range(4)]


def _interpolation(start: Any, end: Any, line: Any, *, samples: int) -> Any:
    """Which share each cell of a line of cells has in each of the samples from `start` to `end`.

    Args:
        start: Shape (rows, n, 1).
        end: Shape (rows, n, 1).
        line: As many numbers as there are cells, which are counted, as the size may be free.
        samples: How many.

    Returns:
        Shape (rows, n, samples, cells).
    """
    number: Any = ops.cumsum(ops.ones_like(line))
    cells: Any = ops.max(number)
    steps = ((np.arange(samples) + 0.5) / samples).astype("float32")
    positions: Any = (start + (end - start) * steps) * cells
    positions = ops.maximum(ops.minimum(positions, cells - 0.5), 0.5)
    apart: Any = ops.absolute(ops.expand_dims(positions, -1) - (number - 0.5))
    return ops.relu(1.0 - apart)
