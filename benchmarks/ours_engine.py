"""Our side of `engine.py`: the same networks, rows and jobs as the peers', trained by the engine.

What a participant does is in `peers/rounds.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from composable.core.backend import choose_backend

sys.path.insert(0, str(Path(__file__).parent / "peers"))
choose_backend()

import keras  # noqa: E402 (after the backend is chosen)
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from networks import NETWORKS, Network, rows  # noqa: E402
from rounds import Job, Prepared, seconds, take_part  # noqa: E402

from composable.core.budget import Deadline  # noqa: E402
from composable.design import Architecture, Input, Part, Task  # noqa: E402
from composable.design.fitting import data_init  # noqa: E402
from composable.design.stems import piecewise_linear  # noqa: E402
from composable.design.tables import adapt, prepare  # noqa: E402
from composable.design.taps import tap  # noqa: E402
from composable.design.tasks import binary_classifier  # noqa: E402
from composable.engine.cohort import Cohort, Instance  # noqa: E402
from composable.engine.initialize import initialize  # noqa: E402
from composable.engine.objective import (  # noqa: E402
    Goal,
    binary_cross_entropy,
    categorical_cross_entropy,
    squared_error,
)
from composable.engine.optimizer import Optimizer  # noqa: E402
from composable.engine.rows import Rows  # noqa: E402
from composable.engine.rules import Rule  # noqa: E402
from composable.engine.settings import Settings  # noqa: E402
from composable.engine.train import train  # noqa: E402
from composable.problem.problem import Head, Problem  # noqa: E402
from composable.training import recipes  # noqa: E402
from composable.zoo.realmlp import realmlp as realmlp_of  # noqa: E402
from composable.zoo.tabm import apart, member_scores, members, shared_block  # noqa: E402

PACKAGES = {"jax": "jax", "tensorflow": "tensorflow-cpu", "torch": "torch"}
FOLDS = 5
NOTHING = np.zeros(0, int)


def epochs(job: Job) -> Prepared:
    """`epochs` epochs of a cohort of `instances` networks per round."""
    network = NETWORKS[job["network"]]
    settings = _settings(network, job["batch"], job["epochs"])
    cohort = _cohort(network, [settings] * job["instances"], job["rows"])
    return _going(cohort, job["rows"] * job["epochs"] * job["instances"])


def trials(job: Job) -> Prepared:
    """A cohort of as many networks, each with a learning rate of its own; a process can do that once."""
    network = NETWORKS[job["network"]]
    rates = np.geomspace(1e-4, 1e-2, job["trials"])

    def go() -> None:
        each = [_settings(network, job["batch"], job["epochs"], float(rate)) for rate in rates]
        cohort = _cohort(network, each, job["rows"])
        train(cohort, deadline=Deadline())
        cohort.weights()

    return Prepared(go)


def first_step(job: Job) -> Prepared:
    """From the built network to the end of the first step; a process can do that once."""
    network = NETWORKS[job["network"]]
    model = network.build()
    settings = _settings(network, job["batch"], 1)
    return Prepared(lambda: train(_cohort(network, [settings], job["batch"], model), deadline=Deadline()))


def tabm_mini(job: Job) -> Prepared:
    """The zoo's TabM-mini in the sizes of the package: 32 members, two blocks of 512, 48 bins of width 16.

    Its members share the masks of dropout; those of the package don't.
    """
    task = Part(binary_classifier, pool=Part(apart), scores=Part(member_scores))
    architecture = Architecture(
        prestem=Part(prepare, bins=48),
        stem=Part(piecewise_linear, width=16),
        learner=(Part(members, count=32), *(Part(shared_block, units=512, dropout=0.1) for _ in range(2))),
        tasks=Part(binary_classifier),
    ).with_tasks(Task(task, "head_0"))
    settings = replace(recipes.tabm(), epochs=job["epochs"], patience=None)
    return _folds(job, architecture, settings)


def realmlp(job: Job) -> Prepared:
    """The zoo's RealMLP-TD with its recipe."""
    problem = Problem((Head(job["target"], "binary", (job["target"],), (0, 1)),), "accuracy")
    architecture = realmlp_of(tasks=(Task(Part(binary_classifier), "head_0"),))
    settings = recipes.realmlp(problem, epochs=job["epochs"])
    return _folds(job, architecture, settings)


def _folds(job: Job, architecture: Architecture, settings: Settings) -> Prepared:
    """Five networks, each with a fifth of the rows held out, trained in one cohort."""
    frame = pd.read_csv(job["table"])
    frame = frame.iloc[: len(frame) // FOLDS * FOLDS]
    classes = frame[job["target"]].astype("category").cat.codes.to_numpy("float32")[:, None]
    numbers = frame.drop(columns=job["target"]).to_numpy("float32")
    fold, width = np.arange(len(frame)) % FOLDS, numbers.shape[1]
    learning = [np.flatnonzero(fold != number) for number in range(FOLDS)]

    def build() -> keras.Model:
        return tap(architecture.build({"numbers": Input((width,))}), "logits")

    model = build()
    fit_to = data_init(model)

    def begin(model: keras.Model, number: int) -> None:
        learned_from = {"numbers": numbers[learning[number]]}
        initialize(model, build, number)
        adapt(model, learned_from)
        fit_to(learned_from, number)

    instances = tuple(
        Instance(rows, np.flatnonzero(fold == number), number, settings)
        for number, rows in enumerate(learning)
    )
    goal = Goal(binary_cross_entropy, binary_cross_entropy)
    cohort = Cohort(model, (goal,), Rows({"numbers": numbers}, (classes,)), instances, begin)
    return _going(cohort)


def _going(cohort: Cohort, amount: float = 1.0) -> Prepared:
    """Rounds that train a cohort further; the first one, which is compiled, lies behind it."""

    def go() -> None:
        train(cohort, deadline=Deadline())

    return Prepared(go, amount, facts={"first": seconds(go)})


def _cohort(
    network: Network, each: Sequence[Settings], count: int, model: keras.Model | None = None
) -> Cohort:
    """As many networks as settings, each with weights of its own; all learn from the same rows."""
    inputs, targets = rows(network, count)
    model = model or network.build()
    loss = categorical_cross_entropy if network.classes else squared_error
    given = Rows({model.inputs[0].name: inputs}, (targets.reshape(count, 1),))
    instances = tuple(Instance(np.arange(count), NOTHING, seed, one) for seed, one in enumerate(each))

    def begin(model: keras.Model, number: int) -> None:
        if len(each) > 1:
            initialize(model, network.build, number)

    return Cohort(model, (Goal(loss, loss),), given, instances, begin)


def _settings(network: Network, batch: int, epochs: int, rate: float = 1e-3) -> Settings:
    rule = Rule("sgd", {"momentum": 0.9}) if network.classes else Rule("adam")
    return Settings(
        optimizer=Optimizer(rule, ()),
        learning_rate=rate,
        weight_decay=0.0,
        batch_size=batch,
        epochs=epochs,
        patience=None,
    )


WORKS = {
    "epochs": epochs,
    "trials": trials,
    "first_step": first_step,
    "tabm_mini": tabm_mini,
    "realmlp": realmlp,
}

if __name__ == "__main__":
    take_part(WORKS, ("keras", PACKAGES[keras.backend.backend()]))
