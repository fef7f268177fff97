"""G1: a configuration file is checked as strictly as flags, and can do nothing but set options."""

import time

import pytest

from composable.auto.options import FitOptions
from composable.cli.fit import fit_options
from composable.core.errors import ConfigError


def write(folder, text, name="fit.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_and_json_give_the_same_options(tmp_path):
    yaml = write(tmp_path, "target: price\ntime-limit: 60\ndrop: [id, name]\n")
    json = write(tmp_path, '{"target": ["price"], "time_limit": 60, "drop": ["id", "name"]}', "fit.json")
    expected = FitOptions(target=("price",), time_limit=60.0, drop=("id", "name"))
    assert fit_options({}, yaml) == fit_options({}, json) == expected


def test_a_flag_wins_over_the_file_and_what_was_not_typed_does_not(tmp_path):
    path = write(tmp_path, "target: price\nseed: 3\nmetric: mae\n")
    options = fit_options({"target": (), "seed": 7, "metric": None}, path)
    assert (options.target, options.seed, options.metric) == (("price",), 7, "mae")


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("target: price\ntime_limt: 60\n", "fit.yaml", ("time_limt", "did you mean 'time_limit'?")),
        ('{"target": "price", "sed": 1}', "fit.json", ("sed", "did you mean 'seed'?")),
        ("target: price\ntime_limit: soon\n", "fit.yaml", ("time_limit", "'soon'")),
        ("target: price\nmetric: rsme\n", "fit.yaml", ("metric", "'rsme'")),
        ("target: price\nseed: 1\nseed: 2\n", "fit.yaml", ("seed twice",)),
        ("target: price\ntime-limit: 1\ntime_limit: 2\n", "fit.yaml", ("time_limit twice",)),
        ('{"target": "a", "target": "b"}', "fit.json", ("target twice",)),
        ("target: [price\n", "fit.yaml", ("fit.yaml", "line 2")),
        ('{"target": ', "fit.json", ("fit.json", "line 1")),
        ("- target\n", "fit.yaml", ("must hold options",)),
        ("", "fit.yaml", ("must hold options",)),
        ("[1, 2]", "fit.json", ("must hold a JSON object",)),
    ],
)
def test_a_mistake_is_named_with_its_path(tmp_path, text, name, message):
    with pytest.raises(ConfigError) as refused:
        fit_options({}, write(tmp_path, text, name))
    assert str(tmp_path / name) in str(refused.value)
    assert all(part in str(refused.value) for part in message)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "target: !!python/object/apply:os.system ['echo hit > hit.txt']\n",
        "target: !!python/name:os.system\n",
        "target: " + "[" * 100_000,
        "target: price\n" + "#" * 2_000_000,
    ],
    ids=["billion-laughs", "call", "name", "depth", "size"],
)
def test_hostile_yaml_is_refused_at_once_and_runs_nothing(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, text)
    started = time.monotonic()
    with pytest.raises(ConfigError):
        fit_options({}, path)
    assert time.monotonic() - started < 2
    assert [file.name for file in tmp_path.iterdir()] == ["fit.yaml"]


def test_deep_json_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        fit_options({}, write(tmp_path, '{"target": ' + "[" * 200_000, "fit.json"))


@pytest.mark.parametrize("content", [None, b"target: \xff\xfe"], ids=["absent", "not-utf-8"])
def test_an_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "fit.yaml"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"fit\.yaml"):
        fit_options({}, path)
