"""One suite over every family of the zoo: its emitted source is the model, without Composable."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from composable.codegen.layout import WIDTH
from composable.codegen.program import source
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.family import Family
from tests.conformance.test_zoo import outputs, rows, smallest

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


@functools.cache
def emitted(name: str) -> str:
    family = FAMILIES[name]
    return source(smallest(family), family.smallest.inputs, name=name)


class NoComposable:
    """An import hook for which Composable isn't installed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "composable":
            raise ModuleNotFoundError(name)


def executed(text: str, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The names of a file that was run where Composable can't be imported."""
    namespace = {"__name__": "emitted"}
    with monkeypatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "composable"]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "meta_path", [NoComposable(), *sys.meta_path])
        exec(compile(text, "emitted.py", "exec"), namespace)
    return namespace


def fill_alike(one: keras.Model, other: keras.Model) -> None:
    """The same random weights for two models whose weights have the same names and shapes."""
    assert [(w.name, w.shape) for w in other.weights] == [(w.name, w.shape) for w in one.weights]
    rng = np.random.default_rng(0)
    drawn = [
        rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) if w.dtype.startswith("float") else w.numpy()
        for w in one.weights
    ]
    one.set_weights(drawn)
    other.set_weights(drawn)


@families
def test_the_emitted_source_is_the_model(family: Family, monkeypatch):
    model = smallest(family).build(family.smallest.inputs)
    again = executed(emitted(family.name), monkeypatch)["build"]()
    assert again.name == family.name
    assert [layer.name for layer in again.layers if layer.name == "encoding"]
    fill_alike(model, again)
    x = rows(family)
    for one, other in zip(outputs(model, x), outputs(again, x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@families
def test_the_emitted_source_reads_well(family: Family):
    text = emitted(family.name)
    assert "from composable" not in text
    assert family.name in text.partition("\n")[0]
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.skipif(RUFF is None, reason="ruff isn't installed")
@pytest.mark.parametrize("task", [["format", "--diff"], ["check", "--select", "F,E,W,I,B,UP"]], ids=" ".join)
def test_the_emitted_sources_are_tidy(task, tmp_path):
    for name in FAMILIES:
        (tmp_path / f"{name}.py").write_text(emitted(name), encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length", str(WIDTH), str(tmp_path)]
    done = subprocess.run([RUFF, *task, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_emitted_file_runs_alone(tmp_path):
    (tmp_path / "model.py").write_text(emitted("resnet"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Total params" in done.stdout


BLOCKED = """
import os, runpy, sys
os.environ["KERAS_BACKEND"] = "jax"
sys.modules["composable"] = None  # so that importing it fails
runpy.run_path("model.py", run_name="__main__")
"""
