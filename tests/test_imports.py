"""The public interface is one list, and neither it nor the help page costs an import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import composable

HEAVY = {
    "numpy", "keras", "jax", "tensorflow", "torch", "pandas", "pyarrow", "sklearn", "scipy", "pydantic",
    "matplotlib", "rich", "yaml", "h5py", "jinja2", "onnx", "optuna",
}  # fmt: skip


def heavy_modules_after(code):
    """The heavy packages that a new Python has loaded after running `code`."""
    script = f"import sys\n{code}\nprint(*(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import composable",
        "import composable.cli.main, composable.auto.options, composable.core.records",
        "from composable.cli.main import run; run(['--help'])",
        "from composable.cli.main import run; run(['fit', '--help'])",
        "from composable.cli.main import run; run(['design', 'show', '--help'])",
        "import composable; composable.DataError",
    ],
)
def test_nothing_heavy_is_imported(code):
    assert heavy_modules_after(code) == set()


def test_every_public_name_is_there_and_documented():
    assert set(composable.__all__) < set(dir(composable))
    for name in composable.__all__:
        assert getattr(composable, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="fitt"):
        composable.fitt  # noqa: B018


def test_the_list_for_type_checkers_is_the_list_for_users():
    tree = ast.parse(Path(composable.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.asname for node in block.body for alias in node.names}
    assert typed == set(composable.__all__) == set(composable._ORIGINS)


def test_python_m_composable_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "composable", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"composable {composable.__version__}\n"
