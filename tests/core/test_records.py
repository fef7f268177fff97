"""Records go to JSON and back unchanged; what a user mistypes is named with its path."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composable.core.errors import ConfigError
from composable.core.records import from_json, to_json


@dataclass(frozen=True)
class Wheel:
    size: float
    name: str = ""


@dataclass(frozen=True)
class Car:
    wheels: tuple[Wheel, ...]
    labels: dict[str, int]
    owner: str | None = None


cars = st.builds(
    Car,
    wheels=st.lists(st.builds(Wheel, st.floats(allow_nan=False, allow_infinity=False), st.text())).map(tuple),
    labels=st.dictionaries(st.text(), st.integers(-(2**53), 2**53)),
    owner=st.none() | st.text(),
)


@given(cars)
def test_a_record_survives_json(car):
    assert from_json(Car, to_json(car, format="car"), format="car", origin="car.json") == car


def edited(**changes):
    return json.dumps({"format": "composable.car/1", "wheels": [], "labels": {}, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (edited(ownr="me"), ("ownr", "did you mean 'owner'?")),
        (edited(wheels=[{"size": 1.0}, {"siz": 2.0}]), ("wheels.1",)),
        (edited(wheels=[{"size": "wide"}]), ("wheels.0.size", "'wide'")),
        (edited(format="composable.car/2"), ("composable.car/1", "composable.car/2")),
        ("[]", ("JSON object", "list")),
        ('{"wheels": ', ("must be JSON", "line 1")),
        ("[" * 100_000, ("must be JSON",)),
    ],
)
def test_a_mistake_is_named_with_file_and_path(text, message):
    with pytest.raises(ConfigError) as refused:
        from_json(Car, text, format="car", origin="car.json")
    assert all(part in str(refused.value) for part in ("car.json", *message))
