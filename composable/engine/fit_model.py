"""Train a user's own compiled Keras model as `model.fit` would, by the engine.

The model's optimizer, losses and metrics are used as they are; afterwards it holds the weights of the last
epoch, and its optimizer's state, so that everything goes on as with Keras.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.core.budget import Deadline
from composable.core.errors import ConfigError, DataError
from composable.core.seeds import derive
from composable.engine.cohort import Cohort, Instance
from composable.engine.feed.batches import Names, rows_of
from composable.engine.feed.chunk import Feed
from composable.engine.feed.recognize import as_feed
from composable.engine.objective import Goal
from composable.engine.rows import Rows, on_host
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.engine.training_options import Callbacks, Options


@dataclass(frozen=True, eq=False)
class KerasOptimizer:
    """A user's own Keras optimizer in place of `composable.engine.optimizer.Optimizer`."""

    optimizer: keras.optimizers.Optimizer

    def build(self, trained: keras.Model) -> keras.optimizers.Optimizer:
        """A copy with the present state, built for another model's variables."""
        made = type(self.optimizer).from_config(self.optimizer.get_config())
        made.build(trained.trainable_variables)
        if self.optimizer.built:
            for new, old in zip(made.variables, self.optimizer.variables, strict=True):
                new.assign(old)
        return made


@dataclass(frozen=True)
class Fitting:
    """The arguments of `model.fit` beside the rows.

    Attributes:
        epochs: Their number.
        batch_size: Rows of a step at most; the rows are spread evenly over the steps.
        class_weight: From a class to how much its rows count.
        callbacks: Keras callbacks.
        seed: Of the order of the rows and of dropout.
        cache: A folder for copies of files that can't be read in random order as they are.
    """

    epochs: int = 1
    batch_size: int = 32
    class_weight: Mapping[int, float] | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()
    seed: int = 0
    cache: Path | None = None


def fit_model(
    model: keras.Model,
    rows: Any,
    fitting: Fitting,
    *,
    validation: tuple[Any, Any] | None = None,
    deadline: Deadline | None = None,
    notify: Callable[[str], None] | None = None,
) -> keras.callbacks.History:
    """Train a compiled model.

    Args:
        model: Built and compiled with losses.
        rows: `(x, y)` or `(x, y, weights)` of arrays, which lie on the device; or anything that
            `composable.engine.feed.recognize.as_feed` takes, which is streamed.
        fitting: Epochs, batch size and so on.
        validation: `(x, y)` of rows to measure on.
        deadline: When training stops.
        notify: Receives messages for the user; by default they become Python warnings.

    Returns:
        Keras's history: `loss`, `val_loss`, and `val_` with the name of each compiled metric.

    Raises:
        ConfigError: If the model isn't compiled.
        DataError: If the rows don't fit the model's inputs and outputs.
    """
    if not getattr(model, "compiled", False) or getattr(model, "optimizer", None) is None:
        raise ConfigError(
            "A model must be compiled before it is fitted.",
            received=model.name,
            remedy="call model.compile(optimizer=..., loss=...)",
        )
    feed, held = _sources(model, rows, fitting, validation)
    learned = np.arange(0) if isinstance(feed, Feed) else np.arange(len(feed))
    together, held_out = (held, np.arange(len(held))) if isinstance(feed, Feed) else _joined(feed, held)
    settings = Settings(
        optimizer=KerasOptimizer(model.optimizer),
        learning_rate=float(on_host(model.optimizer.learning_rate)),
        batch_size=fitting.batch_size,
        epochs=fitting.epochs,
        patience=None,
    )
    instance = Instance(learned, held_out, derive(fitting.seed, "fit"), settings)
    source = feed if isinstance(feed, Feed) else None
    cohort = Cohort(model, _goals(model), together, (instance,), feed=source)
    history = keras.callbacks.History()
    callbacks = Callbacks([_Metrics(validation), history, *fitting.callbacks], notify or warnings.warn)
    train(cohort, deadline=deadline or Deadline(), options=Options(callbacks=callbacks))
    model.set_weights(cohort.weights(best=False)[0])
    model.optimizer.build(model.trainable_variables)
    for variable, values in zip(model.optimizer.variables, cohort.program.slots(), strict=True):
        variable.assign(values[0])
    return history


class _Metrics(keras.callbacks.Callback):
    """Adds the compiled metrics on the validation rows to the logs of the callbacks after it."""

    def __init__(self, validation: tuple[Any, Any] | None) -> None:
        super().__init__()
        self._validation = validation

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 (Keras's signature)
        if self._validation is None:
            logs.pop("val_loss", None)
            return
        model: Any = self.model
        found = model.evaluate(*self._validation, verbose=0, return_dict=True)
        logs.update({f"val_{name}": value for name, value in found.items()})


def _sources(
    model: keras.Model, rows: Any, fitting: Fitting, validation: tuple[Any, Any] | None
) -> tuple[Rows | Feed, Rows]:
    """The rows to learn from, on the device or streamed, and the validation rows."""
    names = Names(tuple(tensor.name for tensor in model.inputs), tuple(_outputs(model)))
    source: Rows | Feed
    if isinstance(rows, (tuple, list)):
        source = _two_dimensional(_weighted(rows_of(tuple(rows), names, origin="the rows"), fitting))
    elif fitting.class_weight:
        raise ConfigError(
            "Class weights are for arrays.",
            received=f"class_weight with a {type(rows).__name__}",
            remedy="let the source give a weight with each row",
        )
    else:
        source = as_feed(rows, cache=fitting.cache, names=names)
    if validation is not None:
        return source, _two_dimensional(rows_of(validation, names, origin="the validation rows"))
    inputs = {tensor.name: np.zeros((0, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}
    if isinstance(source, Rows):
        return source, source.take(np.arange(0))
    return source, Rows(inputs, ())


def _two_dimensional(rows: Rows) -> Rows:
    """Targets of one number per row have an axis for it, as the outputs do."""
    targets = tuple(y[:, None] if y.ndim == 1 else y for y in rows.targets)
    if any(len(y) != len(rows) for y in targets):
        raise DataError(
            "There must be a target for every row.",
            received=f"{len(rows)} rows, targets of {', '.join(str(len(y)) for y in targets)}",
        )
    return Rows(rows.inputs, targets, rows.weights)


def _weighted(rows: Rows, fitting: Fitting) -> Rows:
    if fitting.class_weight is None:
        return rows
    classes = np.ravel(rows.targets[0])
    if len(rows.targets) != 1 or len(classes) != len(rows):
        raise ConfigError(
            "Class weights are for one head of class numbers.",
            received=f"targets of shapes {', '.join(str(y.shape) for y in rows.targets)}",
            remedy="give each row a weight",
        )
    each = np.array([fitting.class_weight.get(int(one), 1.0) for one in classes], "float32")
    return Rows(rows.inputs, rows.targets, each if rows.weights is None else each * rows.weights)


def _joined(learned: Rows, held: Rows) -> tuple[Rows, np.ndarray]:
    """Both, one after another, and where the second ones are."""
    inputs = {name: np.concatenate([x, held.inputs[name]]) for name, x in learned.inputs.items()}
    targets = tuple(np.concatenate(pair) for pair in zip(learned.targets, held.targets, strict=True))
    weights = learned.weights
    if weights is not None:
        weights = np.concatenate([weights, np.ones(len(held), weights.dtype)])
    return Rows(inputs, targets, weights), np.arange(len(learned), len(learned) + len(held))


def _goals(model: keras.Model) -> tuple[Goal, ...]:
    """The compiled losses, one per output, with their weights."""
    config: Any = model.get_compile_config() or {}
    losses = _per_output(model, model.loss)
    weights = _per_output(model, config.get("loss_weights"))
    return tuple(
        _goal(loss, 1.0 if weight is None else float(weight))
        for loss, weight in zip(losses, weights, strict=True)
    )


def _per_output(model: keras.Model, compiled: Any) -> list[Any]:
    if isinstance(compiled, Mapping):
        return [compiled.get(name) for name in _outputs(model)]
    if isinstance(compiled, (list, tuple)):
        return list(compiled)
    return [compiled] * len(_outputs(model))


def _outputs(model: keras.Model) -> list[str]:
    """Their names; a Sequential has one, without a name."""
    return getattr(model, "output_names", None) or ["output"]


def _goal(compiled: Any, weight: float) -> Goal:
    if compiled is None:
        raise ConfigError("Every output needs a loss.", received="none", remedy="name one in model.compile")
    loss: Any = keras.losses.get(compiled)
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        if config.get("reduction") not in ("sum_over_batch_size", "mean"):
            raise ConfigError(
                "A loss is averaged over the rows of a batch.",
                received=f"{loss.name} with the reduction {config.get('reduction')!r}",
                remedy='leave its reduction "sum_over_batch_size"',
            )
        loss = type(loss).from_config({**config, "reduction": "none"})

    def per_row(y: Any, outputs: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (the loss has its own)
        found: Any = loss(y, outputs)
        axes = tuple(range(1, len(found.shape)))
        return ops.mean(found, axis=axes) if axes else found

    return Goal(per_row, per_row, weight)
