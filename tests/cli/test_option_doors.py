"""The options of a fit are declared once: command line, files and Python take the same ones."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import composable
from composable.auto import api
from composable.auto.option import fields_of, table_of, with_table
from composable.auto.options import FitOptions
from composable.cli.fit import config_text, fit_options, schema_text
from composable.core.errors import ConfigError

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
FIELDS = {field.name: field for field in fields_of(FitOptions)}
BESIDE = {  # what an option means nothing without
    "tap": {"start": "runs/one"},
    "freeze": {"start": "runs/one"},
    "unfreeze": {"start": "runs/one", "freeze": True},
    "tolerance": {"single": True},
}
SPECIAL = {"metric": "f1", "tolerance": 0.5, "study": "postgresql://me@host/database"}
ONLY_IN_PYTHON = {"data", "out", "sample_weight", "progress", "verbose"}


def example(field):
    """A value of the option that isn't its default."""
    if field.name in SPECIAL:
        return SPECIAL[field.name]
    if field.choices:
        return list(field.choices[:2]) if field.many else field.choices[-1]
    if field.many:
        return ["a b", "learner.2"]
    return {bool: True, int: 128, float: 2.5, str: "a.b"}[field.type]


def typed(options):
    """The options as words of a command line."""
    for name, value in options.items():
        flag = FIELDS[name].flag
        for each in value if isinstance(value, list) else [value]:
            yield from (flag,) if each is True else (flag, each)


@pytest.fixture
def python(monkeypatch):
    """What the Python call makes of its arguments."""
    seen = []
    monkeypatch.setattr(api, "run_fit", lambda data, options, **_: seen.append(options))

    def call(**options):
        composable.fit("cars.csv", **options)
        return seen.pop()

    return call


@pytest.mark.parametrize("name", FIELDS)
def test_every_door_takes_every_option_with_the_same_values(name, command, auto, python, tmp_path):
    options = BESIDE.get(name, {}) | {name: example(FIELDS[name])}
    for spelled in ({}, {name: name.replace("_", "-")}, {name: FIELDS[name].flag.lstrip("-")}):
        for suffix, write in ((".yaml", yaml.safe_dump), (".json", json.dumps)):
            file = tmp_path / f"fit{suffix}"
            file.write_text(write({spelled.get(key, key): value for key, value in options.items()}))
            assert fit_options({}, file) == python(**options)
    done = command("fit", "cars.csv", *typed(options))
    assert done.code == 0, done.err
    assert auto.options == python(**options)
    assert getattr(auto.options, name) != FIELDS[name].default


def test_python_states_every_option_with_the_default_that_is_declared():
    stated = inspect.signature(composable.fit).parameters
    assert set(stated) - ONLY_IN_PYTHON == set(FIELDS)
    assert {name: stated[name].default for name in FIELDS} == {
        name: field.default for name, field in FIELDS.items()
    }
    assert all(f"{name}: {field.option.help}" in composable.fit.__doc__ for name, field in FIELDS.items())


@pytest.mark.parametrize(("single", "several"), [("learner.2", ("learner.2",)), (2024, ("2024",))])
def test_one_value_stands_for_a_list_of_one(single, several, python, tmp_path):
    file = tmp_path / "fit.yaml"
    file.write_text(yaml.safe_dump({"unfreeze": single, "freeze": True, "from": "run", "drop": single}))
    options = fit_options({}, file)
    assert options == python(unfreeze=single, freeze=True, start="run", drop=single)
    assert (options.unfreeze, options.drop) == (several, several)


def test_python_takes_paths_and_columns_of_any_sequence(python):
    options = python(schema=Path("a") / "b.json", drop=pd.Index(["x", "y"]), target=np.array(["z"]))
    assert options == FitOptions(target=("z",), schema="a/b.json", drop=("x", "y"))


def test_the_printed_configuration_is_one_that_the_command_reads(command, tmp_path):
    words = ("--target", "Größe: 1", "--seed", 7, "--augment", "flip", "--delimiter", "tab")
    (tmp_path / "fit.yaml").write_text(command("fit", *words, "--print-config").out, encoding="utf-8")
    expected = FitOptions(target=("Größe: 1",), seed=7, augment=("flip",), delimiter="tab")
    assert fit_options({}, tmp_path / "fit.yaml") == expected
    assert command("fit", "--config", tmp_path / "fit.yaml", "--print-config").out.strip() == config_text(
        expected
    )


def test_the_printed_schema_has_every_option_with_its_values(command):
    schema = json.loads(command("fit", "--print-schema").out)
    assert json.loads(schema_text()) == schema
    assert set(schema["properties"]) == {name.replace("_", "-") for name in FIELDS}
    assert schema["additionalProperties"] is False
    for name, field in FIELDS.items():
        text = json.dumps(schema["properties"][name.replace("_", "-")])
        assert json.dumps(field.option.help) in text
        assert all(json.dumps(word) in text for word in field.choices)
    assert '"minimum": 4' in json.dumps(schema["properties"]["image-size"])
    assert '"exclusiveMinimum": 0' in json.dumps(schema["properties"]["time-limit"])


def test_without_data_a_fit_is_refused(command):
    refused = command("fit", "--target", "price")
    assert refused.code == 2
    assert "DATA" in refused.err


def test_the_guide_lists_every_option_as_it_is_declared():
    page = GUIDE.read_text(encoding="utf-8")
    assert table_of(FitOptions) in page
    assert with_table(page, FitOptions) == page  # `make options` writes it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 32}, "--image-size is only for images"),
        ({"keep_aspect": True}, "--keep-aspect is only for images"),
        ({"augment": "flip"}, "--augment is only for images"),
        ({"delimiter": ";"}, "--delimiter is only for text files"),
    ],
)
def test_an_option_of_another_kind_of_data_is_refused(options, message):
    frame = pd.DataFrame({"x": np.arange(50.0), "y": np.arange(50.0) % 7})
    with pytest.raises(ConfigError, match=message):
        composable.fit(frame, "y", max_trials=1, **options)
