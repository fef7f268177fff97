"""A13: an extra that isn't there names the command that installs it."""

import json

import pytest

from composable.core.errors import SetupError
from composable.core.optional import optional


def test_a_module_that_is_there_is_returned():
    assert optional("json", extra="onnx") is json


def test_a_missing_extra_names_its_command():
    with pytest.raises(SetupError, match=r'pip install "composable-automl\[onnx\]"') as missing:
        optional("no_such_package.part", extra="onnx")
    assert "'no_such_package'" in missing.value.rule
