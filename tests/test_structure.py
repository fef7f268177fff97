"""How the package is cut into files: none too long, none so small that its only importer should hold it."""

import ast
import importlib.util
from collections import defaultdict
from pathlib import Path

import composable

ROOT = Path(composable.__file__).parent
LONGEST, SMALL = 400, 40  # lines
MOST = 366  # files of the package; lower it where there are fewer, raise it for a new family or kind alone
# A file each, however small: families of the zoo, kinds and sections are found by looping over them.
ONE_EACH = (
    "composable.zoo.",
    "composable.data.kinds.",
    "composable.problem.kinds.",
    "composable.report.sections.",
)


def modules() -> dict[str, Path]:
    """The files of the package, by the names of their modules, without the `__init__` of packages."""
    files = (path for path in ROOT.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    return {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path for path in files}


def importers() -> dict[str, set[str]]:
    """For each module those that import it or a name of it."""
    known, found = modules(), defaultdict(set)
    for path in ROOT.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                taken = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            elif isinstance(node, ast.Import):
                taken = [each.name for each in node.names]
            else:
                continue
            for module in set(taken) & known.keys():
                found[module].add(name)
    return found


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_package_is_not_cut_into_more_files():
    assert len(list(ROOT.rglob("*.py"))) <= MOST


def test_no_file_is_too_long():
    lengths = {name: lines(path) for name, path in modules().items()}
    too_long = [f"{name}: {length} lines" for name, length in lengths.items() if length > LONGEST]
    assert not too_long, "split these:\n" + "\n".join(too_long)


def test_no_small_file_has_a_single_importer():
    found = importers()
    small = [
        f"{name} into {', '.join(found[name])}"
        for name, path in modules().items()
        if lines(path) < SMALL and len(found[name]) == 1 and not name.startswith(ONE_EACH)
    ]
    assert not small, "merge these:\n" + "\n".join(sorted(small))


def test_benchmarks_import_what_there_is():
    """No test runs them, so that a name that changed would only be missed by whoever wants to measure."""
    missing = [
        f"{path.name}:{node.lineno} {node.module}.{name.name}"
        for path in sorted((ROOT.parent / "benchmarks").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("composable")
        for name in node.names
        if not is_there(node.module or "", name.name)
    ]
    assert not missing


def is_there(module: str, name: str) -> bool:
    found = importlib.import_module(module)
    return hasattr(found, name) or (
        hasattr(found, "__path__") and importlib.util.find_spec(f"{module}.{name}") is not None
    )


def test_every_file_is_imported_by_another():
    """Families, verbs and the program of a process are found by name; a user imports `fit_model`."""
    found = importers()
    by_name = ("composable.zoo.", "composable.cli.")
    doors = ("composable.training.worker", "composable.engine.fit_model")
    dead = [name for name in modules() if not found[name] and not name.startswith(by_name)]
    assert sorted(dead) == sorted(doors)
