"""Crafted model files are refused before Keras reads them (reliability rows A1-A6)."""

import ast
import contextlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

import composable.deploy.safe_load as safe_load
from composable.core.errors import ArtifactError
from composable.deploy.safe_load import check_model, load_model
from composable.deploy.weights import declared_weights
from composable.design.keras_configuration import walk

PACKAGE = Path(safe_load.__file__).parents[1]


@pytest.fixture
def members(tiny: SimpleNamespace) -> dict[str, bytes]:
    with zipfile.ZipFile(tiny.folder / "model.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write the members, load them, and return the refusal; Keras must not have been asked."""

    def refuse(members: dict[str, bytes], **options: Any) -> str:
        monkeypatch.setattr("keras.saving.load_model", lambda *_, **__: pytest.fail("Keras was asked"))
        with zipfile.ZipFile(tmp_path / "model.keras", "w", **options) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        with pytest.raises(ArtifactError) as caught:
            load_model(tmp_path / "model.keras")
        return str(caught.value)

    return refuse


def _with_layer(members: dict[str, bytes], layer: dict[str, Any], **changes: Any) -> dict[str, bytes]:
    config = json.loads(members["config.json"])
    config["config"]["layers"].append({"name": "evil", "inbound_nodes": [], "registered_name": None, **layer})
    config |= changes
    return members | {"config.json": json.dumps(config).encode()}


def test_a_saved_model_loads_and_answers_the_same(tiny: SimpleNamespace) -> None:
    loaded = load_model(tiny.folder / "model.keras")
    inputs = {t.name: np.zeros((3, *t.shape[1:]), t.dtype) for t in tiny.model.inputs}
    for ours, theirs in zip(
        loaded.predict_on_batch(inputs), tiny.model.predict_on_batch(inputs), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("keras.layers", "Lambda", {"function": {"class_name": "__lambda__", "config": {"value": "x"}}}),
        ("keras.layers", "TFSMLayer", {"filepath": "/etc"}),
        ("keras.layers", "TorchModuleWrapper", {"module": "x"}),
        ("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        ("keras.layers", "Hashing", {"num_bins": 3}),
        ("keras.utils", "get_file", {"origin": "http://localhost/x"}),
        ("keras.config", "enable_unsafe_deserialization", {}),
        ("keras.saving", "load_model", {"filepath": "other.keras"}),
        ("keras.models", "load_model", {"filepath": "other.keras"}),
        ("keras.models", "clone_model", {}),
        ("keras.src.ops.core", "Map", {}),
        ("keras.src.utils.file_utils", "Path", {}),
        ("os", "system", {"command": "true"}),
        ("subprocess", "Popen", {"args": ["true"]}),
        (None, "Dense", {"units": 1}),
        ("keras.layers", ["Dense"], {}),
    ],
)
def test_classes_beyond_the_list_are_refused(
    members: dict[str, bytes], refused: Callable[..., str], module: Any, name: Any, config: dict[str, Any]
) -> None:
    message = refused(_with_layer(members, {"module": module, "class_name": name, "config": config}))
    assert "config.layers." in message
    assert str(name) in message


@pytest.mark.parametrize(
    "value",
    [
        {
            "module": "keras.utils",
            "class_name": "function",
            "config": "get_file",
            "registered_name": "get_file",
        },
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "mine>relu"},
        {"class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": "__typespec__", "config": [], "module": "os", "registered_name": "x"},
        {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}},
        "mine>activation",
    ],
)
def test_functions_beyond_the_list_are_refused(
    members: dict[str, bytes], refused: Callable[..., str], value: Any
) -> None:
    layer = {
        "module": "keras.layers",
        "class_name": "Activation",
        "config": {"name": "evil", "activation": value},
    }
    assert "activation" in refused(_with_layer(members, layer))


def test_a_class_registered_by_a_package_is_refused(
    members: dict[str, bytes], refused: Callable[..., str]
) -> None:
    layer = {
        "module": "keras.layers",
        "class_name": "Dense",
        "registered_name": "mine>Dense",
        "config": {"units": 1},
    }
    assert "mine>Dense" in refused(_with_layer(members, layer))


def test_a_layer_called_on_constants_is_refused(
    members: dict[str, bytes], refused: Callable[..., str]
) -> None:
    """It would compute while loading: `one_hot(0, 10**10)` takes 40 GB."""
    layer = {"module": "keras.src.ops.nn", "class_name": "OneHot", "config": {"num_classes": 10**10}}
    layer["inbound_nodes"] = [{"args": [0], "kwargs": {}}]
    assert "called on no tensor" in refused(_with_layer(members, layer))


def test_a_nested_compiled_model_is_refused(members: dict[str, bytes], refused: Callable[..., str]) -> None:
    config = json.loads(members["config.json"])
    inner = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Functional")
    inner["compile_config"] = {"optimizer": "adam"}
    assert "compiled" in refused(members | {"config.json": json.dumps(config).encode()})


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"class_name": "Sequential"}']
)
def test_a_configuration_that_is_none(
    members: dict[str, bytes], refused: Callable[..., str], content: bytes
) -> None:
    assert "config.json" in refused(members | {"config.json": content})


def test_a_deep_configuration_is_refused(members: dict[str, bytes], refused: Callable[..., str]) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    assert "deeper" in refused(_with_layer(members, {}, deep=deep))


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model", "model.zip"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ArtifactError, match=r"\.keras"):
        load_model(tmp_path / name)


def test_an_h5_file_called_keras_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.keras", "w") as file:
        file["x"] = 1.0
    with pytest.raises(ArtifactError, match="no readable archive"):
        load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "assets/x", "config.json"])
def test_other_members_are_refused(
    members: dict[str, bytes], tmp_path: Path, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            if member != "metadata.json":
                archive.writestr(member, content)
        if name == "config.json":  # a duplicate
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(name, b"{}")
        else:
            archive.writestr(name, b"{}")
    with pytest.raises(ArtifactError, match="member"):
        load_model(path)


def test_a_symbolic_link_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            if name == "model.weights.h5":
                info.external_attr, content = (stat.S_IFLNK | 0o777) << 16, b"/etc/passwd"
            archive.writestr(info, content)
    with pytest.raises(ArtifactError, match="link"):
        load_model(tmp_path / "model.keras")


def test_many_members_are_refused(members: dict[str, bytes], refused: Callable[..., str]) -> None:
    assert "2003 members" in refused(members | {f"assets/{number}": b"" for number in range(2000)})


def test_a_bomb_is_refused(members: dict[str, bytes], refused: Callable[..., str]) -> None:
    bomb = members | {"model.weights.h5": bytes(64 * 2**20)}
    assert "unpacks" in refused(bomb, compression=zipfile.ZIP_DEFLATED)


def _h5(write: Callable[[h5py.File], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        write(file)
    return stream.getvalue()


def _external(file: h5py.File) -> None:
    file.create_dataset("x", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("x", layout)


def _linked(link: Any) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        file["layers/x"] = link

    return write


def _cycle(file: h5py.File) -> None:
    file.create_group("a")
    file["a/a"] = file["a"]


def _deep(file: h5py.File) -> None:
    file.create_group("/".join("a" * 100))


@pytest.mark.parametrize(
    ("write", "word"),
    [
        (_linked(h5py.ExternalLink("/etc/passwd", "/")), "link"),
        (_linked(h5py.SoftLink("/layers")), "link"),
        (_external, "another file"),
        (_virtual, "another file"),
        (lambda file: file.create_dataset("x", (2**29,), "f4"), "more values"),
        (
            lambda file: file.create_dataset("x", (2**22,), "f4", compression="gzip", fillvalue=0.0),
            "more values",
        ),
        (lambda file: file.create_dataset("x", data="text"), "array of numbers"),
        (lambda file: file.create_dataset("x", data=h5py.Empty("f4")), "array of numbers"),
        (_cycle, "two names"),
        (_deep, "deeper"),
    ],
)
def test_weights_that_are_no_plain_arrays_are_refused(
    members: dict[str, bytes], refused: Callable[..., str], write: Callable[[h5py.File], None], word: str
) -> None:
    message = refused(members | {"model.weights.h5": _h5(write)})
    assert word in message
    assert "model.weights.h5" in message


def test_garbage_for_weights_is_refused(members: dict[str, bytes], refused: Callable[..., str]) -> None:
    for content in (b"", b"garbage", members["model.weights.h5"][:2000]):
        assert "no readable HDF5" in refused(members | {"model.weights.h5": content})


@pytest.mark.parametrize(
    "layer",
    [
        {
            "class_name": "Dense",
            "config": {"units": 10**9, "use_bias": True},
            "build_config": {"input_shape": [None, 10**6]},
        },
        {"class_name": "Embedding", "config": {"input_dim": 10**9, "output_dim": 10**6}},
        {
            "class_name": "EinsumDense",
            "config": {"equation": "ab,bc->ac", "output_shape": 10**9, "bias_axes": None},
        },
    ],
)
def test_a_configuration_that_asks_for_more_than_the_file_holds(
    members: dict[str, bytes], refused: Callable[..., str], layer: dict[str, Any]
) -> None:
    layer = {"module": "keras.layers", "build_config": {"input_shape": [None, 5]}, **layer}
    assert "asks for" in refused(_with_layer(members, layer))
    without = {key: value for key, value in layer.items() if key != "build_config"}
    assert "how large" in refused(_with_layer(members, without))


def test_the_weights_asked_for_are_counted_exactly(members: dict[str, bytes], tiny: SimpleNamespace) -> None:
    declared = declared_weights(json.loads(members["config.json"]), "model.keras")
    assert declared == tiny.model.count_params()


LOADERS = {
    *("load_model", "load_weights", "model_from_json", "clone_model", "from_config"),
    *("deserialize", "deserialize_keras_object", "enable_unsafe_deserialization"),
}
SAFE = {
    *(("safe_load.py", name) for name in LOADERS),
    ("training_copy.py", "clone_model"),  # copies a model in memory, reads nothing
    ("pretrained.py", "clone_model"),
    ("pretrained.py", "deserialize_keras_object"),  # of what `checked_config` has let through
}
UNSAFE = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve"}


def _calls(tree: ast.AST) -> list[tuple[str, str]]:
    """(`keras.saving`, `load_model`) for each call or name imported."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.append((ast.unparse(node.value), node.attr))
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return found


def test_only_the_safe_loader_lets_keras_read_files() -> None:
    for path in PACKAGE.rglob("*.py"):
        for owner, name in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            if owner.startswith("keras") and name in LOADERS and (path.name, name) not in SAFE:
                pytest.fail(f"{path.name} uses {owner}.{name}")


def test_nothing_in_the_package_can_run_what_it_reads() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for owner, name in _calls(tree):
            if owner.split(".")[0] in UNSAFE or (owner, name) in {("yaml", "load"), ("yaml", "unsafe_load")}:
                pytest.fail(f"{path.name} uses {owner}.{name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                denied = isinstance(node.value, ast.Constant) and node.value.value is False
                assert denied, f"{path.name} allows pickles in line {node.value.lineno}"


def _packed(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_damaged_bytes_give_only_our_error(members: dict[str, bytes]) -> None:
    random = np.random.default_rng(0)
    for name in ("config.json", "model.weights.h5"):
        for _ in range(100):
            damaged = bytearray(members[name])
            for place in random.integers(0, min(len(damaged), 4000), 3):
                damaged[place] = random.integers(256)
            with contextlib.suppress(ArtifactError):
                check_model(_packed({**members, name: bytes(damaged)}), "model.keras")


def test_an_odd_value_anywhere_gives_only_our_error(members: dict[str, bytes]) -> None:
    odd = (None, [], {}, "x", -1, 1e400, 10**400, [["x"]], {"class_name": []}, {"class_name": "Dense"}, True)
    places = sum(isinstance(value, (dict, list)) for _, value in walk(json.loads(members["config.json"]), ""))
    for number in range(0, places, 3):
        config = json.loads(members["config.json"])
        holders = [value for _, value in walk(config, "") if isinstance(value, (dict, list))]
        holder = holders[number]
        if holder:
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            holder[keys[number % len(keys)]] = odd[number % len(odd)]
        with contextlib.suppress(ArtifactError):
            check_model(_packed({**members, "config.json": json.dumps(config).encode()}), "model.keras")
