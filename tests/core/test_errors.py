"""G5: every error a user can meet: its words, its exit code, and what it can be caught as."""

import pytest

from composable.core import errors

KINDS = [
    (errors.ComposableError, 1, Exception),
    (errors.DataError, 2, ValueError),
    (errors.ConfigError, 2, ValueError),
    (errors.ArtifactError, 2, ValueError),
    (errors.SetupError, 3, ImportError),
    (errors.NothingSucceeded, 4, RuntimeError),
]


@pytest.mark.parametrize(("kind", "code", "base"), KINDS)
def test_golden_text_and_exit_code(kind, code, base):
    error = kind("A column has a name.", received="cars.csv, column 3: ''", remedy="name it in the header")
    assert str(error) == (
        "A column has a name.\nReceived: cars.csv, column 3: ''\nRemedy: name it in the header"
    )
    assert str(kind("A column has a name.")) == "A column has a name."
    assert error.exit_code == code
    assert isinstance(error, base)
    assert isinstance(error, errors.ComposableError)


def test_no_kind_is_missing_from_the_table():
    kinds = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.ComposableError)
    }
    assert kinds == {kind for kind, _, _ in KINDS}
