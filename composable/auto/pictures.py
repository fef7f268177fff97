"""How a model of images errs, as pictures: `pictures.json`.

What it got wrong with most confidence and where it looked; what training showed of an image; how well it
does on altered copies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from composable.core.budget import Deadline
from composable.data.images.png import png_text
from composable.design.part import Part
from composable.engine.augment import augmented, draws
from composable.problem.invariance import PROBES
from composable.problem.metrics import score
from composable.problem.problem import Head

WORST = 12  # pictures
SHOWN, VARIANTS = 4, 6  # images with what augmentation makes of them
_PROBED = 500  # rows
_GRID = 8  # squares along each side that are covered one after another

Ask = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]


def pictures(
    ask: Ask,
    heads: Sequence[Head],
    inputs: Mapping[str, np.ndarray],
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    *,
    names: Sequence[str],
    augment: Sequence[Part],
    deadline: Deadline,
) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md; what the deadline cuts off is left out.

    Args:
        ask: From inputs to answers, one array per head.
        heads: What is asked; the errors shown are those of the first.
        inputs: Of held-out rows, `images` among them.
        observed: Per head.
        predicted: Per head.
        names: Of the images.
        augment: What training did to images.
        deadline: When to stop.
    """
    head, images = heads[0], inputs["images"]
    worst = _worst(head, observed[0], predicted[0])
    found: dict[str, Any] = {
        "head": head.name,
        "errors": [_error(head, row, images, observed[0], predicted[0], names) for row in worst],
        "augmented": _augmented(augment, images[:SHOWN]),
        "probes": [],
    }
    found["probes"] = list(_probes(ask, heads, inputs, observed, deadline))
    for row, error in zip(worst, found["errors"], strict=True):
        if deadline.remaining <= 0:
            break
        error["looked"] = png_text(_looked(ask, head, {n: v[row] for n, v in inputs.items()}, predicted[0][row]))
    return found


def _chances(head: Head, predicted: np.ndarray) -> np.ndarray:
    """(rows, classes), or (rows, labels) for several labels."""
    if head.kind == "binary":
        return np.stack([1 - predicted[:, 0], predicted[:, 0]], axis=1)
    return predicted


def _worst(head: Head, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The rows with the greatest errors, the greatest first."""
    if head.kind in ("regression", "multilabel"):
        errors = np.abs(predicted - observed).max(axis=1)
        return np.argsort(-errors, kind="stable")[:WORST]
    chances, codes = _chances(head, predicted), observed[:, 0].astype(int)
    wrong = np.flatnonzero(chances.argmax(axis=1) != codes)
    return wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")][:WORST]


def _error(
    head: Head,
    row: int,
    images: np.ndarray,
    observed: np.ndarray,
    predicted: np.ndarray,
    names: Sequence[str],
) -> dict[str, Any]:
    about: dict[str, Any] = {"name": names[row], "picture": png_text(images[row])}
    if head.kind == "regression":
        return about | {"observed": float(observed[row, 0]), "predicted": float(predicted[row, 0])}
    if head.kind == "multilabel":
        worst = int(np.abs(predicted[row] - observed[row]).argmax())
        label = head.targets[worst]
        return about | {
            "observed": f"{label}: {'yes' if observed[row, worst] else 'no'}",
            "predicted": f"{label}: {'yes' if predicted[row, worst] > 0.5 else 'no'}",
            "probability": float(max(predicted[row, worst], 1 - predicted[row, worst])),
        }
    chances = _chances(head, predicted)[row]
    return about | {
        "observed": str(head.labels[int(observed[row, 0])]),
        "predicted": str(head.labels[int(chances.argmax())]),
        "probability": float(chances.max()),
    }


def _augmented(augment: Sequence[Part], images: np.ndarray) -> list[dict[str, Any]]:
    """Images beside what some epochs of training would show of them."""
    if not augment:
        return []
    order = np.arange(len(images))[None, :]
    shown = []
    for epoch in range(VARIANTS):
        drawn = draws(augment, order, seed=0, epoch=epoch, first=0)[0]
        made = augmented(augment, {"images": ops.convert_to_tensor(images)}, ops.convert_to_tensor(drawn))
        shown.append(np.asarray(ops.convert_to_numpy(made["images"])))
    return [
        {"picture": png_text(image), "variants": [png_text(each[place]) for each in shown]}
        for place, image in enumerate(images)
    ]


def _probes(
    ask: Ask,
    heads: Sequence[Head],
    inputs: Mapping[str, np.ndarray],
    observed: Sequence[np.ndarray],
    deadline: Deadline,
) -> Any:
    """The first head's usual score on altered copies, the unaltered ones first."""
    some = {name: values[:_PROBED] for name, values in inputs.items()}
    metric = "mae" if heads[0].kind == "regression" else "accuracy"
    for name, change in {"as they are": lambda images: images, **PROBES}.items():
        if deadline.remaining <= 0:
            return
        said = ask(some | {"images": np.ascontiguousarray(change(some["images"]))})
        value = score(metric, heads[0], observed[0][:_PROBED], said[0])
        yield {"copies": name, "metric": metric, "value": float(value)}


def _looked(ask: Ask, head: Head, row: Mapping[str, np.ndarray], predicted: np.ndarray) -> np.ndarray:
    """The image, bright where covering it changes the answer most.

    Occlusion: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks",
    arXiv:1311.2901, section 4.2. One square after another is covered by the mean colour.
    """
    image = row["images"]
    height, width = image.shape[:2]
    down, right = np.arange(height) * _GRID // height, np.arange(width) * _GRID // width
    copies = np.repeat(image[None], _GRID**2, axis=0)
    middle = image.mean(axis=(0, 1)).astype(image.dtype)
    for square in range(_GRID**2):
        # Squares overlap by half, lest a part that lies on an edge is never covered.
        near = (np.abs(down - square // _GRID) <= 1)[:, None] & (np.abs(right - square % _GRID) <= 1)[None, :]
        copies[square, near] = middle
    others = {name: np.repeat(value[None], _GRID**2, axis=0) for name, value in row.items() if name != "images"}
    said = ask({**others, "images": copies})[0]
    if head.kind == "multiclass":
        change = predicted.max() - said[:, predicted.argmax()]
    else:
        change = np.abs(said - predicted).max(axis=1)
    weight = np.maximum(change, 0) / max(float(np.maximum(change, 0).max()), 1e-9)
    bright = 0.25 + 0.75 * weight.reshape(_GRID, _GRID)[down][:, right]
    return (image * bright[..., None]).astype(np.uint8)
