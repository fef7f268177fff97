"""Faster R-CNN: one trunk that proposes where objects are, and says what they are.

Ren, He, Girshick & Sun 2015, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
Networks", arXiv:1506.01497, figures 2 and 3; the heads are those of Girshick 2015, "Fast R-CNN",
arXiv:1504.08083.

The model takes an `image` and the `regions` of it to look at: (n, 4) numbers, top, left, bottom, right, as
shares of the image. The component `proposals` makes regions of what the model says of its anchors: a first
call finds them and a second one looks at them. Non-maximum suppression, and which anchors and regions are
trained to find which object, aren't here yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers
from keras.initializers import RandomNormal

from composable.design import Architecture, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.regions import roi_pooling
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
