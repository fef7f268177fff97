"""Nobody asks which kind an input or a target is, but those who know one kind: the others loop over kinds."""

import ast
from collections import Counter
from pathlib import Path

import composable
from composable.data.kinds import KINDS as INPUTS
from composable.data.schema import MODEL_KINDS
from composable.modality import MODALITIES
from composable.problem.kinds import KINDS as TARGETS

ROOT = Path(composable.__file__).parent
NAMES = {kind.name for kind in INPUTS} | set(MODEL_KINDS) | set(TARGETS)
NAMES |= {name for modality in MODALITIES for name in modality.inputs}
# Each of these is about one kind, or about the inputs of tables, as its name says.
OF_ONE_KIND = (
    "data/kinds/", "data/number_columns.py", "data/notation.py", "data/texts.py", "data/images/",
    "data/series.py", "deploy/kinds/", "problem/kinds/",
    "modality/", "report/sections/", "zoo/", "training/stages/pretrain/",
    "design/tables.py", "design/text.py", "design/series.py", "design/stems.py",
    "explain/image_errors.py", "explain/text_errors.py", "explain/ngram_effects.py",
    "explain/series_errors.py",
    "auto/image_shapes.py",
    "auto/option.py",  # asks for types of JSON, one of which is called as a kind
    "data/frames.py", "problem/masks.py",
)  # fmt: skip
# How often the others still ask. Lower a number that became lower; raise none, add none.
STILL_ASKING = {
    "cli/predict.py": 1,  # looks into `run.json` before anything heavy is imported
    "problem/target_columns.py": 1,  # whether numbers are amounts or classes
}


def test_only_what_is_of_one_kind_asks_for_a_kind():
    found = {
        name: lines for name, path in files().items() if (lines := branches(path)) and not of_one_kind(name)
    }
    assert Counter({name: len(lines) for name, lines in found.items()}) == Counter(STILL_ASKING), found


def files() -> dict[str, Path]:
    return {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}


def of_one_kind(name: str) -> bool:
    return name.startswith(OF_ONE_KIND)


def branches(path: Path) -> list[str]:
    """The lines that ask for the name of a kind or of an input of the model, or for the class of a block."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [ast.unparse(node)[:80] for node in ast.walk(tree) if asks(node)]


def asks(node: ast.AST) -> bool:
    match node:
        case ast.Compare():
            return names_kind(node)
        case ast.match_case(pattern=pattern):
            return names_kind(pattern)
        case ast.Call(func=ast.Name("isinstance"), args=[_, classes]):
            return names_block(classes)
        case ast.Call(func=ast.Attribute(attr="of"), args=[one]):
            return names_block(one)
    return False


def names_kind(node: ast.AST) -> bool:
    """Whether a kind is named, but as the key of a record, such as the number of a trial."""
    keys = {id(each.slice) for each in ast.walk(node) if isinstance(each, ast.Subscript)}
    constants = (each for each in ast.walk(node) if isinstance(each, ast.Constant) and id(each) not in keys)
    return any(each.value in NAMES for each in constants)


def names_block(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Name) and each.id.endswith("Block") for each in ast.walk(node))


def test_a_branch_on_a_kind_is_found():
    for line in (
        "if column.kind == 'image': pass",
        "found = 'images' in inputs",
        "one = encoding.of(TextBlock)",
        "if isinstance(block, NumberBlock): pass",
    ):
        assert any(map(asks, ast.walk(ast.parse(line)))), line
    (case,) = ast.parse("match head.kind:\n    case 'mask': pass").body[0].cases
    assert asks(case)
