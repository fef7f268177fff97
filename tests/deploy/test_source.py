"""The emitted program of a bundle answers raw rows as the bundle does, without Composable."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from composable.amalgamation import EnsembleMember, average
from composable.core.errors import ArtifactError
from composable.deploy.bundle import Bundle, load_bundle, save_bundle
from composable.deploy.card import Member
from composable.deploy.source import bundle_source
from composable.design import Input, Part, Task
from composable.design.taps import tap
from composable.design.tasks import binary_classifier, classifier, multi_label_classifier, regressor
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, changed_fields
from composable.problem.problem import Head
from composable.zoo.mlp import linear
from composable.zoo.tabm import tabm_mini
from tests.deploy.conftest import CLASSES, REGRESSION, make_card

HEADS = (
    REGRESSION,
    CLASSES,
    Head("fast", "binary", ("fast",), (False, True)),
    Head("red, big", "multilabel", ("red", "big"), ("no", "yes")),
)
TASKS = (
    Part(regressor),
    Part(classifier, classes=3),
    Part(binary_classifier),
    Part(multi_label_classifier, labels=2),
)
ROWS = {
    "size": ["1.5", "", "-999", "7", "3"],
    "stamp": [1.7e9, 1.7e9 + 1, None, 1.7e9 + 500.5, 1.7e9],
    "sold": ["2020-01-05", "2020-06-01 12:00", "NA", "", "1999-12-31"],
    "make": ["audi", "AUDI", "lada", None, "Citroën"],
    "fuel": ["gas", "unknown", "", "diesel", "gas"],
    "note": ["Good, good", "bad rust", "", "rust, très", None],
}
CLIENT = """
import json, sys
sys.modules["composable"] = None  # so that importing it fails
import winner
rows = json.loads(sys.stdin.read())
print(json.dumps(winner.predict(winner.load(sys.argv[1]), rows)))
"""


def made(folder: Path, heads: tuple[Head, ...], tasks: tuple[Part, ...]) -> Bundle:
    """A bundle of two members with two networks each, all weights random, and a final temperature."""
    card = make_card(*heads)
    named = tuple(Task(part, f"head_{number}") for number, part in enumerate(tasks))
    sizes = card.encoding.categories
    kinds = {"categories": "int32"}
    inputs = {name: Input((n,), kinds.get(name, "float32")) for name, n in card.encoding.widths.items()}
    rng = np.random.default_rng(0)
    averaged, members = [], []
    for name, weight, architecture in (
        ("linear", 0.25, linear(tasks=named, categories=sizes)),
        ("tabm_mini_7", 0.75, tabm_mini(tasks=named, categories=sizes, units=4, blocks=1, bins=3, width=2)),
    ):
        postprocessing = []
        for temperature in (1.0, 1.0 + weight):
            network = tap(architecture.build(inputs), "logits")
            network.set_weights([rng.normal(0, 0.3, w.shape).astype(w.dtype) for w in network.weights])
            postprocessing.append(
                tuple(
                    PostProcessing(kind_of(head).activation, temperature)
                    if head.labels
                    else PostProcessing(scale=2.5, offset=0.1, low=-9.0)
                    for head in heads
                )
            )
            averaged.append(EnsembleMember(network, postprocessing[-1], weight / 2))
        kept = tuple(tuple(map(changed_fields, each)) for each in postprocessing)
        members.append(Member(name, architecture.to_config(), weight, kept))
    final = tuple(PostProcessing(kind_of(head).activation, 0.6 if head.labels else 1.0) for head in heads)
    card = replace(card, members=tuple(members), final=tuple(map(changed_fields, final)))
    save_bundle(folder, average(averaged, final), card)
    return load_bundle(folder)


def answered(bundle: Bundle, folder: Path) -> dict[str, list]:
    """What the emitted program answers, run alone."""
    (folder / "winner.py").write_text(bundle_source(bundle), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CLIENT, str(bundle.origin)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"},
        input=json.dumps(ROWS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "count",
    [pytest.param(1, id="one head", marks=pytest.mark.slow), pytest.param(len(HEADS), id="several heads")],
)
def test_the_program_answers_as_the_bundle(tmp_path, count):
    bundle = made(tmp_path / "bundle", HEADS[:count], TASKS[:count])
    wanted = bundle.predict(pd.DataFrame(ROWS))
    found = answered(bundle, tmp_path)
    assert list(found) == list(wanted.columns)
    for name, values in found.items():
        if wanted[name].dtype.kind == "f":
            np.testing.assert_allclose(values, wanted[name], rtol=1e-6, atol=1e-6)
        else:
            assert values == wanted[name].tolist()


def test_the_program_reads_well(tmp_path):
    text = bundle_source(made(tmp_path / "bundle", HEADS, TASKS))
    assert "composable" not in text
    assert "def tabm_mini_7() -> keras.Model:" in text
    assert "PostProcessing(scale=2.5, offset=0.1, low=-9.0)" in text
    assert text.count("UNKNOWN, MISSING = 0, 1") == 1
    ruff = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if ruff:
        (tmp_path / "winner.py").write_text(text, encoding="utf-8")
        for task in (["format", "--diff"], ["check", "--select", "F,E,W,I,B,UP"]):
            options = ["--isolated", "--no-cache", "--line-length", "110", str(tmp_path / "winner.py")]
            done = subprocess.run([ruff, *task, *options], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_a_bundle_that_does_not_say_what_it_is_made_of_is_refused(tiny):
    with pytest.raises(ArtifactError, match="fit again"):
        bundle_source(tiny.bundle)
