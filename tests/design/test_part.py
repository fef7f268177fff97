import pytest

from composable.design import Architecture, Choice, Part
from composable.design.part import from_config, to_config
from composable.design.tasks import classifier, regressor
from composable.zoo.mlp import dense_block
from composable.zoo.tabm import tabm_mini


def test_an_unknown_metaparameter_names_those_there_are():
    message = r"`dense_block` has no metaparameter `unit`\. It takes: units, dropout"
    with pytest.raises(TypeError, match=message):
        Part(dense_block, unit=3)


def test_an_unknown_component_names_the_remedy():
    with pytest.raises(ValueError, match="Import the module that defines it first"):
        from_config({"component": "nowhere.to_be_found"})


def test_open_and_concrete_architectures_come_back_from_json():
    concrete = tabm_mini((Part(regressor), Part(classifier, classes=3)), categories=(3, 40))
    assert Architecture.from_json(concrete.to_json()) == concrete
    opened = tabm_mini((Part(regressor),), units=Choice((64, 128)))
    assert Architecture.from_json(opened.to_json()) == opened


def test_filling_asks_once_per_choice_and_by_path():
    opened = tabm_mini((Part(regressor),), units=Choice((64, 128)), blocks=1)
    asked = []
    closed = opened.fill(lambda path, options: asked.append(path) or options[0])
    assert asked == ["learner.1.units"]
    assert closed == tabm_mini((Part(regressor),), units=64, blocks=1)


def test_json_names_a_component_with_its_family():
    assert to_config(Part(dense_block, units=2)) == {"component": "mlp.dense_block", "units": 2}
