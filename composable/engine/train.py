"""Train one network on some rows: Keras `fit` inside, stopped early on held-out rows or by the deadline.

Deterministic: the order of the rows comes from the seed and the epoch, never from a global generator.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.engine.predict import predict

Loss = Callable[[Any, Any], Any]  # (targets, outputs) -> one loss per row, in keras.ops
Stopped = Literal["patience", "epochs", "deadline"]
Logs = dict[str, Any] | None


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes:
        learning_rate: At the start.
        weight_decay: Of AdamW, not on biases.
        batch_size: Rows per step.
        epochs: At most.
        patience: After so many epochs without a better held-out loss the best weights so far are taken up
            again with a smaller learning rate.
        decay: What the learning rate is divided by each time.
        decays: How many times; then training ends.
        clip: Global norm that gradients are clipped to.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 3e-4
    batch_size: int = 256
    epochs: int = 400
    patience: int = 16
    decay: float = 5.0
    decays: int = 1
    clip: float = 1.0


@dataclass(frozen=True)
class Rows:
    """Inputs, one target array per head and a weight per row."""

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets[0])

    def take(self, rows: np.ndarray) -> Rows:
        """These rows alone."""
        return Rows(
            {name: values[rows] for name, values in self.inputs.items()},
            tuple(target[rows] for target in self.targets),
            None if self.weights is None else self.weights[rows],
        )


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: training loss, held-out loss, seconds."""

    epoch: int
    loss: float
    held_out: float
    seconds: float


@dataclass(frozen=True)
class History:
    """The epochs of one training, where it was best (-1 for nowhere), and what ended it."""

    epochs: tuple[Epoch, ...]
    best_epoch: int
    stopped: Stopped


def compile_for_training(model: keras.Model, losses: tuple[Loss, ...], settings: Settings) -> None:
    """Give a network its optimizer and losses; once per graph, however often it is trained afterwards."""
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=settings.clip
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, loss=[_PerRow(loss) for loss in losses])


def train(  # noqa: PLR0913 (each says something of its own)
    model: keras.Model,
    rows: Rows,
    held_out: Rows,
    *,
    loss: Callable[[list[np.ndarray], Rows], float],
    settings: Settings,
    seed: int,
    deadline: Deadline,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> History:
    """Train the compiled `model` on `rows` and leave it with the weights that were best on `held_out`.

    Args:
        model: Compiled by `compile_for_training`; its optimizer starts afresh.
        rows: What to learn from.
        held_out: What decides when to stop.
        loss: The held-out loss from the model's outputs and the rows; lower is better.
        settings: Learning rate, batch size and so on.
        seed: Decides the order of the rows.
        deadline: Training stops inside an epoch when it is reached; the best weights so far are kept.
        on_epoch: Told about every epoch as it ends.
    """
    _restart(model.optimizer, settings.learning_rate)

    def held_out_loss() -> float:
        return loss(predict(model, held_out.inputs), held_out)

    watch = _Watch(model, held_out_loss, settings, deadline, on_epoch)
    batch_size = min(settings.batch_size, max(1, len(rows)))
    feed = _Shuffled(rows, batch_size, seed)
    silent: Any = 0  # Keras's annotation, read off the default, admits texts alone
    model.fit(feed, epochs=settings.epochs, verbose=silent, shuffle=False, callbacks=[watch])
    if watch.best_weights is not None:
        model.set_weights(watch.best_weights)
    return History(tuple(watch.seen), watch.best_epoch, watch.stopped)


class _Shuffled(keras.utils.PyDataset):
    """The rows in an order drawn from (seed, epoch), in batches of one size; a short rest is left out."""

    def __init__(self, rows: Rows, batch_size: int, seed: int) -> None:
        super().__init__()
        self._rows, self._batch_size, self._seed, self._epoch = rows, batch_size, seed, 0
        self._order = self._drawn()

    def _drawn(self) -> np.ndarray:
        return np.random.default_rng((self._seed, self._epoch)).permutation(len(self._rows))

    def __len__(self) -> int:
        return len(self._rows) // self._batch_size

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        taken = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        batch = self._rows.take(taken)
        # A tuple of targets: TensorFlow's datasets don't know lists.
        if batch.weights is None:
            return dict(batch.inputs), batch.targets
        return dict(batch.inputs), batch.targets, batch.weights

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._order = self._drawn()


class _Watch(keras.callbacks.Callback):
    """Keeps the best weights, lowers the rate when patience runs out, looks at the clock after every step."""

    def __init__(
        self,
        network: keras.Model,
        held_out_loss: Callable[[], float],
        settings: Settings,
        deadline: Deadline,
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        super().__init__()
        self._network, self._held_out_loss, self._settings = network, held_out_loss, settings
        self._deadline, self._on_epoch = deadline, on_epoch
        self.best_weights: list[np.ndarray] | None = None
        self.best_loss, self.best_epoch = float("inf"), -1
        self.seen: list[Epoch] = []
        self.stopped: Stopped = "epochs"
        self._waited, self._decays_left = 0, settings.decays
        self._epoch_began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002 (Keras's signature)
        self._epoch_began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002 (Keras's signature)
        if self._deadline.remaining <= 0:
            self._stop("deadline")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        held_out = self._held_out_loss()
        trained = float((logs or {}).get("loss", float("nan")))
        seen = Epoch(epoch, trained, held_out, time.monotonic() - self._epoch_began)
        self.seen.append(seen)
        self._on_epoch(seen)
        if held_out < self.best_loss:
            self.best_loss, self.best_epoch, self._waited = held_out, epoch, 0
            self.best_weights = weights_of(self._network)
            return
        self._waited += 1
        if self._waited >= self._settings.patience:
            self._decay_or_stop()

    def _decay_or_stop(self) -> None:
        if self._decays_left == 0 or self.best_weights is None:
            self._stop("patience")
            return
        self._decays_left -= 1
        self._waited = 0
        self._network.set_weights(self.best_weights)
        optimizer = self._network.optimizer
        optimizer.learning_rate = optimizer.learning_rate / self._settings.decay

    def _stop(self, why: Stopped) -> None:
        self.stopped = why
        self._network.stop_training = True


def weights_of(model: keras.Model) -> list[np.ndarray]:
    """A copy of the weights, as `model.set_weights` takes them."""
    return [np.array(keras.ops.convert_to_numpy(weight.value)) for weight in model.weights]


def initialise(model: keras.Model, build: Callable[[], keras.Model], seed: int) -> None:
    """Draw the weights of `model` anew, as `build` draws them, and with them the state of its dropout."""
    # Keras seeds the global generators; what the person drew from them goes on as if nothing had happened.
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    keras.utils.set_random_seed(derive(seed, "weights"))
    try:
        fresh = build()
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
    for variable, drawn in zip(model.variables, fresh.variables, strict=True):
        variable.assign(drawn)


def _restart(optimizer: keras.optimizers.Optimizer, learning_rate: float) -> None:
    for variable in optimizer.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    optimizer.learning_rate = learning_rate


class _PerRow(keras.losses.Loss):
    """Gives Keras one loss per row, to which it applies the rows' weights."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self._loss = loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._loss(y_true, y_pred)
