"""Exports answer as the bundle does, or don't come to be (rows A10-A13, D30)."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from keras import ops

import composable.deploy.export as export_module
from composable.core import packages
from composable.core.errors import ArtifactError, ConfigError, SetupError
from composable.core.records import from_json, to_json
from composable.deploy.bundle import VERSION, Bundle, load_bundle, save_bundle
from composable.deploy.card import BundleCard
from composable.deploy.export import check_parity, export, golden_rows, read_onnx
from composable.deploy.onnx_graph import safe_names
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, final_answers
from composable.problem.problem import Head
from tests.deploy.conftest import CLASSES, make_card, make_model

onnx = pytest.importorskip("onnx", reason="the extra [onnx] isn't installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx] isn't installed")
pytest.importorskip("jax2onnx", reason="the extra [onnx] isn't installed")


@pytest.fixture(scope="module")
def exported(tiny: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tiny.bundle, "onnx", tmp_path_factory.mktemp("export") / "onnx")


def _ask(path: Path, *, note: list[str], **columns: list[Any]) -> dict[str, np.ndarray]:
    """The file's answers; the program beside it makes ids of the texts."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {
        name: np.array(values, dtype=object if isinstance(values[0], str) else "float64").reshape(-1, 1)
        for name, values in columns.items()
    }
    feed |= runpy.run_path(str(path.parent / "texts.py"))["encoded"](path.parent, {"note": note})
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def test_raw_rows_in_labels_out_in_onnxruntime_alone(tiny: SimpleNamespace, exported: Path) -> None:
    rows = {
        "size": [5.0, -999.0, float("inf")],
        "stamp": [1.7e9 + 500.0, 1.7e9 + 1.0, float("nan")],
        "sold": [7338.0, float("nan"), 0.5],
        "make": ["bmw", "AUDI", "tesla"],
        "fuel": ["gas", "unknown", ""],
        "note": ["GOOD car,\tTrès\nrust, indeed", "", "TRÈS  bad"],
    }
    found = _ask(exported / "model.onnx", **rows)
    frame = pd.DataFrame({**rows, "sold": ["2020-02-03 00:00", "", "2000-01-01 12:00"]})
    expected = tiny.bundle.predict(frame)
    assert found["prediction_grade"].tolist() == expected["prediction_grade"].tolist()
    np.testing.assert_allclose(found["prediction_price"], expected["prediction_price"], atol=3e-5)
    probabilities = expected[["p_grade_low", "p_grade_mid", "p_grade_high"]]
    np.testing.assert_allclose(found["probabilities_grade"], probabilities, atol=1e-5)


def test_a_final_temperature_is_exported(tmp_path: Path) -> None:
    """Exporting compares the file's answers with the bundle's, and refuses it if they differ."""
    heads = (
        CLASSES,
        Head("fast", "binary", ("fast",), (False, True)),
        Head("red, big", "multilabel", ("red", "big"), ("no", "yes")),
    )
    model = make_model(*heads)
    steps = [PostProcessing(kind_of(head).activation, 0.6) for head in heads]
    final = [final_answers(ops, step, one) for step, one in zip(steps, model.outputs, strict=True)]
    save_bundle(tmp_path / "bundle", keras.Model(model.input, final), make_card(*heads))
    file = export(load_bundle(tmp_path / "bundle"), "onnx", tmp_path / "onnx") / "model.onnx"
    nodes = {node.op_type for node in onnx.load_model(file).graph.node}
    assert "Log" in nodes


def test_inputs_are_described(exported: Path) -> None:
    described = json.loads((exported / "inputs.json").read_text())
    assert {entry["name"]: entry["type"] for entry in described["inputs"]} == {
        **dict.fromkeys(["size", "stamp", "sold"], "double"),
        **dict.fromkeys(["make", "fuel"], "string"),
        **dict.fromkeys(["words", "ngrams", "characters"], "int32"),
    }
    assert described["inputs"][-1]["columns"] == ["note"]
    assert described["inputs"][-1]["shape"] == ["rows", 2]
    assert described["outputs"][1] == {
        "target": "grade",
        "prediction": "prediction_grade",
        "probabilities": "probabilities_grade",
        "classes": ["low", "mid", "high"],
    }
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"))
    assert json.loads(session.get_modelmeta().custom_metadata_map["composable"]) == described
    assert sorted(path.name for path in exported.iterdir()) == [
        "README.txt",
        "bundle.json",
        "inputs.json",
        "manifest.json",
        "model.onnx",
        "texts.py",
    ]


def test_golden_rows_try_every_branch(tiny: SimpleNamespace) -> None:
    rows = pd.DataFrame(golden_rows(tiny.card))
    assert len(rows) == 64
    notices = tiny.bundle.answer(rows).notices
    assert {notice.column for notice in notices} == {"size", "stamp", "make", "fuel"}
    assert rows.isna().any().all()
    assert {"AUDI", "audi"} <= set(rows["make"])
    assert -999.0 in set(rows["size"])


def test_a_file_that_answers_otherwise_is_refused(
    tiny: SimpleNamespace, exported: Path, tmp_path: Path
) -> None:
    model = onnx.load_model(exported / "model.onnx")
    for tensor in model.graph.initializer:
        if (
            tensor.name.startswith("network/")
            and tensor.data_type == onnx.TensorProto.FLOAT
            and len(tensor.dims) == 2
        ):
            array = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array * np.float32(1.001), tensor.name))
    onnx.save_model(model, tmp_path / "other.onnx")
    check_parity(tiny.bundle, exported / "model.onnx", golden_rows(tiny.card))
    with pytest.raises(ArtifactError, match=r"golden row \d+: .* from the file, .* from the bundle"):
        check_parity(tiny.bundle, tmp_path / "other.onnx", golden_rows(tiny.card))


def test_numbers_may_differ_by_their_rounding_and_no_more(tiny: SimpleNamespace) -> None:
    """An answer that depends on the last digit of what is asked isn't more exact than that."""
    rows = golden_rows(tiny.card)
    nudged = export_module._nudged(rows)
    for name, values in rows.items():
        if values.dtype.kind != "f":
            assert nudged[name] is values
            continue
        plain, other = values.to_numpy(), nudged[name].to_numpy()
        known = np.isfinite(plain) & (np.abs(plain) < 1e30) & (plain != 0)
        relative = (other[known] - plain[known]) / np.abs(plain[known])
        assert (relative != 0).all()
        assert np.abs(relative).max() < 2.5e-7
        np.testing.assert_array_equal(np.isnan(plain), np.isnan(other))


def test_nothing_is_left_when_the_export_fails(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differs(*_: Any) -> None:
        raise ArtifactError("An exported file must answer as the bundle does.")

    monkeypatch.setattr(
        export_module, "write_onnx", lambda bundle, folder: (folder / "model.onnx").write_bytes(b"")
    )
    monkeypatch.setattr(export_module, "read_onnx", differs)
    with pytest.raises(ArtifactError):
        export(tiny.bundle, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "head",
    [
        Head("y", "binary", ("y",), (False, True), (0.3,)),
        Head("y", "multiclass", ("y",), (1, 2, 5)),
        Head("m, n", "multilabel", ("m", "n"), (0.0, 1.0)),
    ],
    ids=lambda head: head.kind,
)
def test_every_kind_of_head(bundle_of: Callable[..., Bundle], tmp_path: Path, head: Head) -> None:
    bundle = bundle_of(head)
    folder = export(bundle, "onnx", tmp_path / "onnx")
    rows = {
        "size": [5.0],
        "stamp": [1.7e9],
        "sold": [0.0],
        "make": ["bmw"],
        "fuel": ["gas"],
        "note": ["good"],
    }
    found = _ask(folder / "model.onnx", **rows)
    expected = bundle.predict(pd.DataFrame({**rows, "sold": ["2000-01-01"]}))
    for name in found:
        if name.startswith("prediction"):
            assert found[name].tolist() == expected[name].tolist()
            assert isinstance(found[name].tolist()[0], type(head.labels[0]))


def test_odd_names_become_safe_and_stay_apart() -> None:
    odd = [
        "size",
        "=cmd|x",
        "<b>",
        "a/b",
        "a_b",
        "",
        "\n",
        "x" * 10_000,
        "x" * 9_999,
        "prediction",
        "größe",
        "🙂",
    ]
    safe = safe_names(odd, taken=["prediction"])
    assert safe["size"] == "size"
    assert safe["größe"] == "größe"
    assert safe["prediction"] == "prediction_2"
    assert len(set(safe.values())) == len(odd)
    assert all(len(name) < 80 and "/" not in name and name.strip() for name in safe.values())


def test_columns_with_odd_names_export(tiny: SimpleNamespace, tmp_path: Path) -> None:
    odd = {"size": "=cmd|' /C", "make": "<script>\n", "fuel": "prediction", "note": "x" * 10_000}
    text = to_json(tiny.card, format="bundle", version=VERSION)
    for plain, name in odd.items():
        text = text.replace(f'"{plain}"', json.dumps(name, ensure_ascii=False))
    card = from_json(BundleCard, text, format="bundle", version=VERSION, origin="card")
    folder = export(Bundle(card, tiny.folder, tiny.bundle.files), "onnx", tmp_path / "out")
    described = {
        column: entry["name"]
        for entry in json.loads((folder / "inputs.json").read_text())["inputs"]
        for column in entry.get("columns", [entry.get("column")])
    }
    assert set(odd.values()) <= set(described)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    assert {entry.name for entry in session.get_inputs()} == {*described.values(), "words", "ngrams"}


def _external(path: Path, target: str) -> None:
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", target
    info = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])]
    inner = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["w"], ["y"])], "g", [], info, [tensor])
    constant = onnx.helper.make_node("Constant", [], ["c"], value=tensor)
    loop = onnx.helper.make_node("If", ["b"], ["y"], then_branch=inner, else_branch=inner)
    graphs = {
        "initializer": inner,
        "attribute": onnx.helper.make_graph([constant], "g", [], info),
        "branch": onnx.helper.make_graph([loop], "g", [], info),
    }
    path.write_bytes(onnx.helper.make_model(graphs[path.stem]).SerializeToString())


@pytest.mark.parametrize("place", ["initializer", "attribute", "branch"])
@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "weights.bin"])
def test_weights_in_other_files_are_refused(tmp_path: Path, place: str, target: str) -> None:
    _external(tmp_path / f"{place}.onnx", target)
    with pytest.raises(ArtifactError, match="another file"):
        read_onnx(tmp_path / f"{place}.onnx")


def test_links_and_garbage_are_refused(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "link.onnx").symlink_to(exported / "model.onnx")
    (tmp_path / "garbage.onnx").write_bytes(b"\xff" * 100)
    for name in ("link.onnx", "garbage.onnx", "none.onnx"):
        with pytest.raises(ArtifactError, match="ONNX"):
            read_onnx(tmp_path / name)
    assert read_onnx(exported / "model.onnx").graph.name == "composable"


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "jax2onnx"])
def test_a_missing_exporter_names_the_extra(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    there = packages.importlib.import_module

    def import_module(name: str) -> Any:
        if name == missing:
            raise ImportError(f"No module named {name!r}")
        return there(name)

    monkeypatch.setattr(packages.importlib, "import_module", import_module)
    with pytest.raises(SetupError, match=r'pip install "composable-automl\[onnx\]"'):
        export(tiny.bundle, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    export(tiny.bundle, "keras", tmp_path / "keras")


def test_an_operation_without_a_counterpart_is_named(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise NotImplementedError("No plugin for the primitive 'erf_inv'")

    monkeypatch.setattr("keras.Model.export", refuse)
    with pytest.raises(ArtifactError, match="erf_inv"):
        export(tiny.bundle, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_converter_is_silent(
    tiny: SimpleNamespace, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    export(tiny.bundle, "onnx", tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.slow
def test_another_backend_converts_in_a_child_process(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The choice alone is pretended; the child is real."""
    monkeypatch.setattr("composable.deploy.onnx_numeric.keras.backend.backend", lambda: "torch")
    monkeypatch.setattr("composable.deploy.onnx_numeric.convert", lambda *_: pytest.fail("converted here"))
    export(tiny.bundle, "onnx", tmp_path / "out")
    assert (tmp_path / "out" / "model.onnx").exists()


def test_a_keras_export_is_a_bundle_that_keras_alone_opens(tiny: SimpleNamespace, tmp_path: Path) -> None:
    folder = export(tiny.bundle, "keras", tmp_path / "out")
    assert load_bundle(folder).card == tiny.card
    code = "import sys, keras; model = keras.saving.load_model(sys.argv[1], compile=False)"
    code += "; print(*sorted(tensor.name for tensor in model.inputs))"
    command = [sys.executable, "-c", code, str(folder / "model.keras")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["categories", "characters", "dates", "ngrams", "numbers", "words"]
    assert "keras.saving.load_model" in (folder / "README.txt").read_text()


def test_another_format_is_refused(tiny: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keras or onnx"):
        export(tiny.bundle, "pickle", tmp_path / "out")  # type: ignore[arg-type]
