"""A design written in one line is found, or refused with a reason, and nothing in it is run."""

import json

import pytest

from composable.core.errors import ArtifactError, ConfigError
from composable.zoo.catalog import architecture
from composable.zoo.catalog.parse import parse_design

OWN = """
from keras import layers
from composable.design import Architecture, Part
from composable.design.tasks import regressor

def small(*, units: int = 3):
    return Architecture(stem=Part(layers.Dense, units=units), tasks=Part(regressor))

ready = small(units=9)

def wrong():
    return 3

def broken():
    raise OSError("no disk")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_member_brings_its_family_metaparameters_and_inputs():
    found = parse_design(" resnet50 ")
    assert found.architecture == architecture("resnet50")
    assert (found.name, found.family, found.metaparameters["depth"]) == ("resnet50", "resnet", 50)
    assert found.inputs == (224, 224, 3)


def test_a_call_changes_a_family_or_a_member():
    found = parse_design("resnet(depth=101, blocks=[1, 1], filters=(8, 16,), use_bias=True)")
    assert found.metaparameters == {"depth": 101, "blocks": (1, 1), "filters": (8, 16), "use_bias": True}
    assert found.architecture == architecture("resnet", **found.metaparameters)
    assert parse_design("resnet50(classes=10)").metaparameters["classes"] == 10
    assert parse_design("resnet()").architecture == architecture("resnet")


def test_a_search_space_is_open():
    found = parse_design("resnet_space(classes=3)")
    assert found.architecture.openings()
    assert (found.name, found.family) == ("resnet_space", "resnet")


@pytest.mark.parametrize(
    "text",
    [
        "resnet(101)",
        "resnet(depth=__import__('os').getpid())",
        "resnet(depth=50",
        "resnet(depth=50)(1)",
        "resnet(depth=50) or 1",
        "resnet(**{'depth': 50})",
        "resnet(" + "(" * 5000,
        "resnet(depth=" + "9" * 20_000 + ")",
        "resnet(depth=50, depth=101)",
        "(",
    ],
)
def test_what_is_no_call_with_literals_is_refused(text):
    with pytest.raises(ConfigError):
        parse_design(text)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ConfigError, match="did you mean `resnet50`"):
        parse_design("resnet5O")
    with pytest.raises(ConfigError, match="did you mean `depth`"):
        parse_design("resnet(dept=50)")


def test_a_file_needs_nobody_to_import_its_components(here):
    design = architecture("resnet", depth=50, classes=7)
    (here / "mine.json").write_text(design.to_json())
    found = parse_design("mine.json")
    assert (found.name, found.inputs, found.architecture) == ("mine", None, design)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "x"}', "{" * 99])
def test_a_file_that_is_no_design_is_refused(here, text):
    (here / "mine.json").write_text(text)
    with pytest.raises(ArtifactError):
        parse_design("mine.json")


def test_a_file_may_be_missing_foreign_or_huge(here):
    with pytest.raises(ConfigError, match="No such file"):
        parse_design("mine.json")
    (here / "mine.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        parse_design("mine.json")
    with (here / "mine.json").open("wb") as huge:
        huge.truncate(10**9)
    with pytest.raises(ConfigError, match=r"1,000,000,000 bytes"):
        parse_design("mine.json")


def test_a_file_imports_the_house_alone(here):
    (here / "trap.py").write_text("raise SystemExit('imported')")
    config = json.loads(architecture("resnet").to_json())
    config["stem"] = {"component": "trap.stem"}
    (here / "mine.json").write_text(json.dumps(config))
    with pytest.raises(ArtifactError, match=r"no component 'trap.stem'"):
        parse_design("mine.json")


def test_a_function_of_ones_own(here):
    (here / "own_designs.py").write_text(OWN)
    found = parse_design("own_designs:small(units=5)")
    assert (found.name, found.family, found.inputs) == ("small", None, None)
    assert found.architecture.stem.metaparameters["units"] == 5
    assert parse_design("own_designs:ready").architecture.stem.metaparameters["units"] == 9
    for text, why in {
        "own_designs:wrong": "gives int",
        "own_designs:broken": "no disk",
        "own_designs:nothing": "AttributeError",
        "own_designs:small(unit=2)": "did you mean `units`",
        "no_such_module:x": "ModuleNotFoundError",
    }.items():
        with pytest.raises(ConfigError, match=why):
            parse_design(text)
