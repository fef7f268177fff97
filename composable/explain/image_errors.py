"""Where a model of images or of masks errs, as pictures: `pictures.json`.

What it got wrong with most confidence and which pixels spoke for that; what augmentation makes of an image;
how well it does on copies that are altered as images may be in use. Of masks, each image beside its true and
its predicted mask.

Pixels speak for an answer by integrated gradients: Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for
Deep Networks", arXiv:1703.01365, equation 1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from composable.core.budget import Deadline
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.images.pixels import beside_each_other, png_text
from composable.data.kinds.image import ImageBlock
from composable.design import Input
from composable.design.part import Part
from composable.design.taps import tap
from composable.engine.augment import previews
from composable.engine.predict import Gradients, gradients_of
from composable.explain.explained_model import ExplainedModel, Predict, least_certain, worst_errors
from composable.problem.formulas import confusion, overlap
from composable.problem.kinds import kind_of
from composable.problem.metrics import fitting
from composable.problem.problem import Head
from composable.problem.scores import score

WORST, CLOSE = 12, 6  # pictures of errors, and of answers that were nearly errors
SHOWN, VARIANTS = 4, 6  # images with what augmentation makes of them
_TO_COMPILE = 1.0  # seconds

STEPS = 32  # on the way from the baseline to the image
_SMOOTHED = 24  # a side of the image is so many standard deviations of the filter
_HIGHEST = 99.0  # percentile that is shown strongest
_OPAQUE = 0.7
_ORANGE = np.array([255.0, 120.0, 0.0])

_MOST, _FEW = 500, 128  # rows that are altered; the latter where there is little time
_SHARE = 0.3  # of the time that is left, for all copies
_SHIFT = 1 / 8  # of a side
_ANGLE = 15.0  # degrees
_LEVELS = 255
_NOISE = 20.0  # standard deviation, in levels


def image_errors(model: ExplainedModel, deadline: Deadline) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md; what the deadline cuts off is left out."""
    head, names, images = model.head, _image_names(model), model.inputs["images"]
    observed, predicted = model.observed[0], model.predicted[0]
    worst = worst_errors(head, observed, predicted, most=WORST).tolist()
    close = least_certain(head, observed, predicted, most=CLOSE).tolist()
    entries = [
        {
            "name": names[row],
            "picture": png_text(images[row]),
            **kind_of(head).effects.outcome(head, observed[row], predicted[row]),
        }
        for row in [*worst, *close]
    ]
    augmented = _augmented_pictures(model.candidate.settings.augment, images[:SHOWN])
    altered = list(_altered_scores(model.predict, head, model.inputs, observed, deadline))
    if deadline.remaining > _TO_COMPILE:
        for entry, where in zip(entries, _saliency(model, [*worst, *close], deadline), strict=False):
            entry["saliency"] = where
    return {
        "format": "composable.pictures/2",
        "head": head.name,
        "errors": entries[: len(worst)],
        "close": entries[len(worst) :],
        "augmented": augmented,
        "altered": altered,
    }


def _image_names(model: ExplainedModel) -> list[str]:
    """What the cells of each row call its images; several are joined by commas."""
    columns = [cells_of(column_of(model.frame, image.column)) for image in model.encoding.of(ImageBlock)]
    return [", ".join(each) for each in zip(*columns, strict=True)]


def _augmented_pictures(augment: Sequence[Part], images: np.ndarray) -> list[dict[str, Any]]:
    """Images beside what some epochs of training would make of them."""
    if not augment:
        return []
    (variants,) = previews([augment], images, seed=0, epochs=VARIANTS)
    return [
        {"picture": png_text(image), "variants": [png_text(each[row]) for each in variants]}
        for row, image in enumerate(images)
    ]


def _saliency(model: ExplainedModel, rows: Sequence[int], deadline: Deadline) -> Iterator[str]:
    """For each of these rows the image, orange where it speaks for the answer."""
    # Gradients are taken with respect to numbers, while the trained network takes bytes.
    shapes = {name: Input(v.shape[1:], v.dtype.name) for name, v in model.inputs.items()}
    shapes["images"] = Input(shapes["images"].shape, "float32")
    network = tap(model.candidate.architecture.build(shapes), "logits")
    network.set_weights(model.network.get_weights())
    gradients = gradients_of(network, "images")
    for row in rows:
        if deadline.remaining <= 0:
            return
        inputs = {name: values[row] for name, values in model.inputs.items()}
        direction = kind_of(model.head).effects.logit_direction(model.head, model.predicted[0][row])
        yield png_text(highlighted(inputs["images"], integrated_gradients(gradients, inputs, direction)))


def integrated_gradients(
    gradients: Gradients, row: Mapping[str, np.ndarray], direction: np.ndarray
) -> np.ndarray:
    """What each pixel adds to the score of a row, against an image of its mean color alone.

    They sum to the difference of the two scores, but for the error of the sum of `STEPS` midpoints.

    Args:
        gradients: With respect to `images`, see `composable.engine.predict`.
        row: The inputs of one row.
        direction: What the logits are multiplied by to give the score.

    Returns:
        (height, width, channels).
    """
    image = row["images"].astype("float32")
    baseline = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    middles = ((np.arange(STEPS, dtype="float32") + 0.5) / STEPS)[:, None, None, None]
    inputs = {name: np.repeat(value[None], STEPS, axis=0) for name, value in row.items()}
    inputs["images"] = baseline + middles * (image - baseline)
    found = gradients(inputs, np.repeat(direction[None], STEPS, axis=0))
    return (image - baseline) * found.mean(axis=0)


def highlighted(image: np.ndarray, attributions: np.ndarray) -> np.ndarray:
    """The image in gray, orange where its pixels speak for the answer; (height, width, 3) of uint8.

    Args:
        image: (height, width, channels) of uint8; of several images they are shown beside each other.
        attributions: Of its pixels, shaped alike.
    """
    image, attributions = beside_each_other(image), beside_each_other(attributions)
    weight = np.maximum(attributions.sum(axis=-1), 0.0)
    weight = ndimage.gaussian_filter(weight, max(weight.shape) / _SMOOTHED)  # single pixels mean little
    weight = np.clip(weight / max(float(np.percentile(weight, _HIGHEST)), 1e-12), 0.0, 1.0)
    covered = (_OPAQUE * weight)[..., None]
    return ((1.0 - covered) * image.mean(axis=-1, keepdims=True) + covered * _ORANGE).astype(np.uint8)


def _shifted(images: np.ndarray) -> np.ndarray:
    steps = [max(1, round(_SHIFT * side)) for side in images.shape[1:3]]
    padded = np.pad(images, ((0, 0), (steps[0], 0), (steps[1], 0), (0, 0)), mode="edge")
    return padded[:, : images.shape[1], : images.shape[2]]


def _turned(images: np.ndarray) -> np.ndarray:
    return ndimage.rotate(images, _ANGLE, axes=(1, 2), reshape=False, order=1, mode="nearest")


def _blurred(images: np.ndarray) -> np.ndarray:
    side = max(images.shape[1:3]) / 32
    return ndimage.gaussian_filter(images, (0, side, side, 0), mode="nearest")


def _grainy(images: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, _NOISE, images.shape)
    return np.clip(images + noise, 0, _LEVELS).astype(np.uint8)


def _dark(images: np.ndarray) -> np.ndarray:
    return (images * 0.6).astype(np.uint8)


ALTERATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "shifted by an eighth": _shifted,
    "mirrored": lambda images: images[:, :, ::-1],
    "upside down": lambda images: images[:, ::-1],
    "turned by 15°": _turned,
    "blurred": _blurred,
    "with noise": _grainy,
    "darker": _dark,
    "inverted": lambda images: _LEVELS - images,
}
"""From images (rows, height, width, channels) of uint8 to such copies, by what is done to them."""


def _altered_scores(
    predict: Predict,
    head: Head,
    inputs: Mapping[str, np.ndarray],
    observed: np.ndarray,
    deadline: Deadline,
) -> Iterator[dict[str, Any]]:
    """The head's accuracy, or its mean absolute error, on altered copies, the unaltered ones first.

    Args:
        predict: From inputs to predictions per head.
        head: The first head.
        inputs: Of the rows, `images` among them.
        observed: Targets of the first head.
        deadline: After it no further copies are made.
    """
    few = {name: values[:_FEW] for name, values in inputs.items()}
    predict(few)  # whatever has to be compiled
    began = time.monotonic()
    predict(few)
    seconds = (time.monotonic() - began) / _FEW * len(ALTERATIONS)
    most = _MOST if _MOST * seconds < _SHARE * deadline.remaining else _FEW
    some = {name: values[:most] for name, values in inputs.items()}
    metric = "accuracy" if "accuracy" in fitting(head.kind) else "mae"
    for name, alter in {"unaltered": lambda images: images, **ALTERATIONS}.items():
        if deadline.remaining <= 0:
            return
        predicted = predict(some | {"images": np.ascontiguousarray(alter(some["images"]))})
        value = score(metric, head, observed[:most], predicted[0])
        yield {"alteration": name, "metric": metric, "value": float(value), "rows": len(predicted[0])}


WORST_MASKS = 24  # images
MISSED, ADDED, TAKEN = (0, 90, 181), (220, 50, 32), (255, 194, 10)  # told apart by the color-blind too
_COLORS = np.array(
    [
        (0, 0, 0),
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
        (255, 255, 255),
    ],
    np.uint8,
)  # Okabe & Ito 2008, "Color Universal Design"


def mask_errors(model: ExplainedModel, _deadline: Deadline) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md: the images with the least overlap first."""
    head, names, images = model.head, _image_names(model), model.inputs["images"]
    observed, codes = model.observed[0], model.predicted[0].argmax(axis=-1)
    scores = [
        overlap("mean_iou", confusion(true, predicted, head.width))
        for true, predicted in zip(observed, codes, strict=True)
    ]
    common = int(np.bincount(observed.ravel(), minlength=head.width).argmax())
    order = np.argsort(scores, kind="stable")[:WORST_MASKS]
    masks = [
        {
            "name": names[row],
            "mean_iou": scores[row],
            "picture": png_text(images[row]),
            "observed": png_text(_colored(observed[row], common)),
            "predicted": png_text(_colored(codes[row], common)),
            "difference": png_text(_difference(images[row], observed[row], codes[row], common)),
        }
        for row in order
    ]
    return {
        "format": "composable.pictures/2",
        "head": head.name,
        "masks": masks,
        "augmented": _augmented_pictures(model.candidate.settings.augment, images[:SHOWN]),
    }


def _colored(codes: np.ndarray, common: int) -> np.ndarray:
    """A color per class, the most frequent one black; beyond nine they repeat."""
    indices = np.where(codes == common, 0, 1 + (codes - (codes > common)) % (len(_COLORS) - 1))
    return _COLORS[indices]


def _difference(image: np.ndarray, true: np.ndarray, predicted: np.ndarray, common: int) -> np.ndarray:
    """The image in dim grays; in colors what was missed, what was added, and what was taken for another."""
    dim = (0.5 * image.mean(axis=-1, keepdims=True)).astype(np.uint8)
    found = np.repeat(dim, 3, axis=-1)
    wrong = true != predicted
    found[wrong] = TAKEN
    found[wrong & (predicted == common)] = MISSED
    found[wrong & (true == common)] = ADDED
    return found
