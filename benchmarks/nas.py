"""Searches and zero-cost scores on tabulated architectures.

What a search is worth: how many candidates it trains until the best accuracy that it has found is expected to
be 93.0 on NAS-Bench-Macro (xiusu/NAS-Bench-Macro: all 6561 networks, three trainings each), over 200 seeds,
beside random search and regularized evolution. What a zero-cost score is worth: its rank correlation with the
accuracies, beside those of depth, multiply-adds and parameters; on the networks themselves, built and scored
on images of CIFAR-10, and on the scores that NASLib lists for 500 cells of NAS-Bench-101.

No constant of the search or of the scores was chosen by these tables. The tables aren't in the repository.

python benchmarks/nas.py search --bench DIR [--seeds 200]
python benchmarks/nas.py scores --bench DIR --images cifar10_small.npz [--networks 200] [--out scores.json]
python benchmarks/nas.py cells --bench DIR
python benchmarks/nas.py own --images cifar10_small.npz [--networks 40]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from conditions import conditions
from scipy.stats import spearmanr

from composable.design import Architecture, Between, Choice, Input, Part, component
from composable.design.evolve import draw
from composable.design.layers import conv_norm, mobile_conv, mobile_depthwise
from composable.design.learners import group
from composable.design.stems import standardize
from composable.design.tasks import classifier
from composable.search.evolution import Draft, State, aged, ask, position, renewed, taken, tell
from composable.search.zero_cost import Scores
from composable.zoo.resnet import basic, bottleneck

MACRO, CELLS = "nas_bench_macro_cifar10.json", "zc_nasbench101.json"
FILTERS, STRIDES = (64, 64, 128, 128, 128, 256, 256, 256), (2, 1, 2, 1, 1, 2, 1, 1)
"""Of the eight layers: with these every network has as many parameters and multiply-adds as its row says."""
OWN, OWN_IMAGES, OWN_EPOCHS = 40, 3000, 4  # our own networks, and how they are trained
GOAL, DRAWN = 93.0, 1000  # mean accuracy; drafts of which a search knows the size, beside children
OF_CELLS = ("flops", "synflow", "l2_norm")
"""What grows with size, flow and depth, fixed before the table of cells was read."""


@component
def same(x: Any, *, filters: int, strides: int) -> Any:
    """Nothing; where the size changes, a 1x1 convolution."""
    from keras import layers

    if strides == 1 and x.shape[-1] == filters:
        return x
    return layers.BatchNormalization()(layers.Conv2D(filters, 1, strides, use_bias=False)(x))


@component
def inverted(x: Any, *, filters: int, strides: int, kernel_size: int, expansion: int) -> Any:
    """The block of MobileNet 2."""
    from keras import layers

    y = mobile_conv(x, x.shape[-1] * expansion, activation="relu")
    y = mobile_depthwise(y, kernel_size, strides, "relu")
    y = mobile_conv(y, filters)
    return layers.Add()([x, y]) if strides == 1 and x.shape[-1] == filters else y


def macro_space() -> Architecture:
    """NAS-Bench-Macro's networks for 32x32 images: eight layers of three kinds each."""
    from keras import layers

    kinds = [
        (same, {}),
        (inverted, {"kernel_size": 3, "expansion": 3}),
        (inverted, {"kernel_size": 5, "expansion": 6}),
    ]
    return Architecture(
        prestem=Part(layers.Rescaling, scale=1 / 64, offset=-2.0),
        stem=Part(mobile_conv, filters=32, kernel_size=3, activation="relu"),
        learner=(
            *(
                Choice(tuple(Part(kind, filters=f, strides=s, **settings) for kind, settings in kinds))
                for f, s in zip(FILTERS, STRIDES, strict=True)
            ),
            Part(mobile_conv, filters=1280, activation="relu"),
        ),
        tasks=Part(classifier, classes=10),
    )


def network(space: Architecture, name: str) -> Architecture:
    """The one with the options that the digits of its name number."""
    digits = dict(zip(space.openings(), map(int, name), strict=True))
    return space.fill(lambda path, opening: opening.options[digits[path]])


def score_networks(bench: Path, images: Path, number: int, out: Path | None) -> None:
    """Score a sample of NAS-Bench-Macro's networks on images, and print how well each score ranks them."""
    from dataclasses import asdict

    from composable.search.zero_cost import promise, zero_cost

    table = json.loads((bench / MACRO).read_text())
    with np.load(images) as data:
        rows = data["x_train"][:16]
    names = sorted(np.random.default_rng(0).choice(sorted(table), number, replace=False).tolist())
    space, began = macro_space(), time.perf_counter()
    scores = []
    for name in names:
        found = zero_cost(network(space, name), Input((32, 32, 3), "uint8"), rows, seed=0, of_weights=True)
        if (found.parameters, found.multiply_adds) != (table[name]["params"], table[name]["flops"]):
            raise ValueError(f"{name} isn't the network of its row: {found}, {table[name]}")
        scores.append(found)
        if len(scores) % 10 == 0:
            print(len(scores), f"{time.perf_counter() - began:.0f} s", flush=True)
    if out is not None:
        out.write_text(json.dumps({name: asdict(one) for name, one in zip(names, scores, strict=True)}))
    accuracies = [table[name]["mean_acc"] for name in names]
    layers_kept = [sum(digit != "0" for digit in name) for name in names]
    print(f"{number} networks of NAS-Bench-Macro, Spearman's rank correlation with the mean accuracy:")
    print(f"{'layers kept':>16s} {spearmanr(layers_kept, accuracies)[0]:6.3f}")
    print_correlations(scores, accuracies, promise(scores))


def search(bench: Path, seeds: int) -> None:
    """Print how many trained networks each way of searching takes to an expected 93.0, and its curve."""
    table = json.loads((bench / MACRO).read_text())
    space = macro_space()
    openings = space.openings()
    drafts, accuracies = {}, {}
    for name, row in table.items():
        one = network(space, name)
        made = {
            path: opening.options[int(digit)]
            for (path, opening), digit in zip(openings.items(), name, strict=True)
        }
        measures = (float(sum(digit != "0" for digit in name)), float(row["flops"]), float(row["params"]))
        draft = Draft(one, one.identity(), position(openings, made), measures)
        drafts[draft.identity], accuracies[draft.identity] = draft, row["mean_acc"]
    tabulated = Table(space, drafts, accuracies)
    for way, most in ((random_search, 400), (with_surrogate, 30), (regularized_evolution, 200)):
        began = time.perf_counter()
        curves = np.array([way(tabulated, seed, most) for seed in range(seeds)])
        mean = np.maximum.accumulate(curves, axis=1).mean(axis=0)
        reached = int(np.argmax(mean >= GOAL)) + 1 if (mean >= GOAL).any() else None
        shown = [f"{n}: {mean[n - 1]:.3f}" for n in (5, 10, 15, 20, 30, 100, 200, 400) if n <= most]
        print(
            f"{way.__name__:>22s} {reached or f'more than {most}'} for {GOAL}; best after {', '.join(shown)}"
        )
        print(f"{'':>22s} {time.perf_counter() - began:.0f} s for {seeds} seeds", flush=True)


@dataclass(frozen=True, eq=False)
class Table:
    """Every network of a space with its accuracy, by identity."""

    space: Architecture
    drafts: dict[str, Draft]
    accuracies: dict[str, float]

    def drawn(self, seed: int, number: int) -> State:
        """A search that has drawn so many of them."""
        names = np.random.default_rng(seed).choice(sorted(self.drafts), number, replace=False)
        return State(self.space, seed, {name: self.drafts[name] for name in names})

    def measure(self, architecture: Architecture) -> tuple[float, ...]:
        """What is known of a network untrained: depth, multiply-adds, parameters."""
        return self.drafts[architecture.identity()].measures


def random_search(table: Table, seed: int, most: int) -> list[float]:
    """The accuracies of networks drawn at random, in order."""
    return [table.accuracies[name] for name in table.drawn(seed, most).drafts]


def regularized_evolution(table: Table, seed: int, most: int) -> list[float]:
    """The accuracies of the networks that regularized evolution trains, in order."""
    state, found = table.drawn(seed, 16), []
    while len(found) < most:
        state, draft = aged(state, table.measure)
        if draft is None:
            return [*found, *[found[-1]] * (most - len(found))]
        found.append(table.accuracies[draft.identity])
        state = tell(taken(state, draft), draft, found[-1])
    return found


def with_surrogate(table: Table, seed: int, most: int) -> list[float]:
    """The accuracies of the networks that the search with a surrogate trains, in order."""
    state, found = table.drawn(seed, DRAWN), []
    while len(found) < most:
        draft = ask(state)
        if draft is None:
            break
        found.append(table.accuracies[draft.identity])
        state = renewed(tell(taken(state, draft), draft, found[-1]), table.measure)
    return found


def own_space() -> Architecture:
    """Small residual networks for 16x16 images: kind of block, widths and depths of three groups."""
    block = Choice((basic, Part(bottleneck, expansion=2)), name="block")
    return Architecture(
        prestem=Part(standardize, mean=(125.0, 123.0, 114.0), deviation=(63.0, 62.0, 67.0)),
        stem=Part(conv_norm, filters=Choice((8, 16), name="stem"), kernel_size=3),
        learner=tuple(
            Part(group, block=block, blocks=Between(1, 3), filters=Choice(widths), strides=strides)
            for widths, strides in (((8, 16), 1), ((8, 16, 32), 2), ((16, 32, 64), 2))
        ),
        tasks=Part(classifier, classes=10),
    )


def train_own(images: Path, number: int, out: Path | None) -> None:
    """Train small networks briefly and print how well scores had ranked them."""
    from dataclasses import asdict

    import keras

    from composable.search.zero_cost import promise, zero_cost

    with np.load(images) as data:
        x, y, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    x, x_test = (each.reshape(len(each), 16, 2, 16, 2, 3).mean(axis=(2, 4)) for each in (x, x_test))
    scores, accuracies, began = [], [], time.perf_counter()
    seed = 0
    tried: set[str] = set()
    while len(scores) < number:
        seed += 1
        one = draw(own_space(), seed=seed)
        if one.identity() in tried:
            continue
        tried.add(one.identity())
        scores.append(zero_cost(one, (16, 16, 3), x[:16], seed=0))
        keras.utils.set_random_seed(seed)
        model = one.build((16, 16, 3))
        model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x[:OWN_IMAGES], y[:OWN_IMAGES], batch_size=100, epochs=OWN_EPOCHS, verbose=0)
        accuracies.append(model.evaluate(x_test[:2000], y_test[:2000], batch_size=500, verbose=0)[1])
        keras.backend.clear_session()
        print(len(scores), f"{accuracies[-1]:.4f} {time.perf_counter() - began:.0f} s", flush=True)
        if out is not None:
            found = [asdict(each) | {"accuracy": a} for each, a in zip(scores, accuracies, strict=True)]
            out.write_text(json.dumps(found))
    print(f"{number} small residual networks, {OWN_EPOCHS} epochs of {OWN_IMAGES} images, Spearman:")
    print_correlations(scores, accuracies, promise(scores))


def print_correlations(scores: Sequence[Scores], accuracies: Sequence[float], combined: np.ndarray) -> None:
    """Print Spearman's rank correlation of each score that there is, and of the combined ones."""
    for name in [each.name for each in fields(scores[0])]:
        values = [getattr(one, name) for one in scores]
        if not np.isnan(values).any():
            print(f"{name:>16s} {spearmanr(values, accuracies)[0]:6.3f}")
    print(f"{'combined':>16s} {spearmanr(combined, accuracies)[0]:6.3f}")


def score_cells(bench: Path) -> None:
    """Print how well NASLib's scores of NAS-Bench-101's cells rank them, each and the combined ones."""
    from composable.search.zero_cost import log_ranks

    cells = list(json.loads((bench / CELLS).read_text())["nasbench101"]["cifar10"].values())
    accuracies = [cell["val_accuracy"] for cell in cells]
    print(f"{len(cells)} cells of NAS-Bench-101, Spearman's rank correlation with the validation accuracy:")
    for name in sorted(cells[0].keys() - {"val_accuracy"}):
        print(f"{name:>16s} {spearmanr([cell[name] for cell in cells], accuracies)[0]:6.3f}")
    combined = log_ranks([[cell[name] for name in OF_CELLS] for cell in cells])
    print(f"{' + '.join(OF_CELLS):>16s} {spearmanr(combined, accuracies)[0]:6.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("search", "scores", "cells", "own"))
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    print(conditions())
    if given.what == "search":
        search(given.bench, given.seeds)
    if given.what == "own":
        train_own(given.images, min(given.networks, OWN), given.out)
    if given.what == "cells":
        score_cells(given.bench)
    if given.what == "scores":
        score_networks(given.bench, given.images, given.networks, given.out)


if __name__ == "__main__":
    main()
