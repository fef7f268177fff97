"""Keras `fit`, as people run it, on the backend that KERAS_BACKEND names. See `rounds`."""

from __future__ import annotations

import os
import time
from typing import Any

import keras
import numpy as np
from networks import NETWORKS, Network, rows
from rounds import Job, Prepared, seconds, take_part

SILENT: Any = 0  # Keras's annotation, read off the default, admits texts alone
PACKAGES = {"jax": "jax", "tensorflow": "tensorflow-cpu", "torch": "torch"}


def epochs(job: Job) -> Prepared:
    """`epochs` epochs of one network per round, with the fastest of the given `options` of `compile`."""
    network = NETWORKS[job["network"]]
    given = rows(network, job["rows"])
    tried = []
    for options in job["options"]:
        model = _compiled(network, options)
        first = _fit_seconds(model, given, job["batch"], 1)
        epoch = min(_fit_seconds(model, given, job["batch"], 1) for _ in range(2))
        tried.append((epoch, first, options, model))
    _, first, options, model = min(tried, key=lambda one: one[0])
    rates = {str(options): round(job["rows"] / epoch) for epoch, _, options, _ in tried}
    return Prepared(
        lambda: _fit_seconds(model, given, job["batch"], job["epochs"]),
        amount=job["rows"] * job["epochs"],
        facts={"first": first, "options": options, "samples_per_second": rates},
    )


def trials(job: Job) -> Prepared:
    """Networks built, compiled and trained one after another, each with a learning rate of its own.

    The best options are those with which the first trials were fastest.
    """
    network = NETWORKS[job["network"]]
    given = rows(network, job["rows"])
    rates = np.geomspace(1e-4, 1e-2, job["trials"])

    def run(options: dict[str, Any], rates: Any) -> None:
        for rate in rates:
            _fit_seconds(_compiled(network, options, float(rate)), given, job["batch"], job["epochs"])

    run(job["options"][0], rates[:1])  # what only the first of all does: threads, libraries
    found = [seconds(lambda options=options: run(options, rates[:2])) for options in job["options"]]
    best = job["options"][int(np.argmin(found))]
    each = {str(options): round(two / 2, 3) for options, two in zip(job["options"], found, strict=True)}
    facts = {"options": best, "seconds_per_trial": each}
    return Prepared(lambda: run(best, rates), facts=facts)


def first_step(job: Job) -> Prepared:
    """From the built network to the end of the first step; a process can do that once."""
    network = NETWORKS[job["network"]]
    given = rows(network, job["batch"])
    model = network.build()

    def go() -> None:
        _compile(model, network, job["options"][0], 1e-3)
        model.fit(*given, batch_size=job["batch"], epochs=1, verbose=SILENT)

    return Prepared(go)


def _compiled(network: Network, options: dict[str, Any], rate: float = 1e-3) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = network.build()
    _compile(model, network, options, rate)
    return model


def _compile(model: keras.Model, network: Network, options: dict[str, Any], rate: float) -> None:
    if network.classes:
        optimizer = keras.optimizers.SGD(rate, momentum=0.9)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        optimizer, loss = keras.optimizers.Adam(rate), "mse"
    model.compile(optimizer=optimizer, loss=loss, **options)


def _fit_seconds(model: keras.Model, given: Any, batch: int, epochs: int) -> float:
    began = time.perf_counter()
    model.fit(*given, batch_size=batch, epochs=epochs, verbose=SILENT)
    return time.perf_counter() - began


if __name__ == "__main__":
    package = PACKAGES[os.environ["KERAS_BACKEND"]]
    take_part({"epochs": epochs, "trials": trials, "first_step": first_step}, ("keras", package))
