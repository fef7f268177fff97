"""From a file with a column of text to answers, in the bundle, in onnxruntime alone and as plain Keras."""

import json
import runpy
import sys

import numpy as np
import pandas as pd
import pytest

import composable
from composable.deploy.source import bundle_source

ROWS = 160
GOOD, BAD = ["great", "lovely", "works well", "猫 good"], ["awful", "broke", "not good", "waste 🙂"]


def reviews(*, numbers: bool) -> pd.DataFrame:
    """A text whose words tell the label, beside a number that doesn't."""
    rng = np.random.default_rng(0)
    good = np.arange(ROWS) % 2 == 0
    filler = [" ".join(rng.choice(["it", "is", "the", "phone", "case", "item"], 5)) for _ in range(ROWS)]
    texts = [
        f"{words} {rng.choice(GOOD if g else BAD)} no {n}"
        for n, (words, g) in enumerate(zip(filler, good, strict=True))
    ]
    frame = pd.DataFrame({"review": texts, "label": np.where(good, "good", "bad")})
    return frame.assign(price=rng.normal(size=ROWS).round(3)) if numbers else frame


@pytest.fixture(scope="module", params=[False, True], ids=["texts alone", "texts and numbers"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    reviews(numbers=request.param).to_csv(folder / "reviews.csv", index=False)
    trials = 4 if request.param else 3  # with a network for tables, without fastText
    return composable.fit(
        folder / "reviews.csv", target="label", max_trials=trials, max_epochs=3, out=folder / "run"
    )


def test_texts_tell_the_label(run):
    table = reviews(numbers=True)
    new = table.assign(review="LOVELY, works well!")
    assert set(run.predict(new)["prediction"]) == {"good"}
    odd = run.predict(new.head(4).assign(review=["", None, "🙂" * 9, "word " * 5000]))
    assert odd["p_good"].between(0, 1).all()


def test_what_was_solved_is_told(run):
    trials = [json.loads(path.read_text("utf-8")) for path in sorted(run.path.glob("trials/*/trial.json"))]
    solved = {trial["name"]: trial for trial in trials if "solver" in trial.get("settings", {})}
    assert {"text_linear", "text_naive_bayes", "text_linear_words"} == set(solved)
    assert all(history["stopped"] == "closed_form" for t in solved.values() for history in t["histories"])
    assert (run.path / "report.html").exists()
    columns = json.loads((run.path / "diagnostics.json").read_text("utf-8"))["importance"]
    several = len(run.bundle.card.encoding.columns) > 1  # of a single one there is nothing to compare
    assert [one["column"] for one in columns][:1] == (["review"] if several else [])


def test_the_words_that_decide_are_told(run):
    found = json.loads((run.path / "texts.json").read_text("utf-8"))
    words = {one["answer"]: {ngram["text"] for ngram in one["ngrams"]} for one in found["words"]}
    assert words["good"] & {"great", "lovely", "works well", "works", "猫"}
    assert words["bad"] & {"awful", "broke", "waste", "🙂", "not"}
    assert "<h2>Words</h2>" in (run.path / "report.html").read_text("utf-8")


def test_a_network_for_tables_takes_its_texts_to_onnx(tmp_path):
    pytest.importorskip("jax2onnx", reason="the extra [onnx] isn't installed")
    run = composable.fit(
        reviews(numbers=True),
        "label",
        design="mlp(units=8)",
        max_trials=1,
        max_epochs=1,
        out=tmp_path / "run",
    )
    assert (run.export("onnx", tmp_path / "onnx") / "model.onnx").exists()  # its answers are compared inside


def test_the_onnx_file_answers_to_ids(run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx] isn't installed")
    pytest.importorskip("jax2onnx", reason="the extra [onnx] isn't installed")
    folder = run.export("onnx", tmp_path / "onnx")
    rows = reviews(numbers=True).head(20)
    feeds = runpy.run_path(str(folder / "texts.py"))["encoded"](folder, {"review": rows["review"].tolist()})
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    feeds["price"] = rows[["price"]].to_numpy("float64")
    feeds = {entry.name: feeds[entry.name] for entry in session.get_inputs()}
    (found,) = session.run(["probabilities"], feeds)
    np.testing.assert_allclose(found[:, 1], run.predict(rows)["p_good"], atol=1e-5)


def test_the_source_answers_as_the_run(run, tmp_path, monkeypatch):
    path = tmp_path / "winner.py"
    path.write_text(bundle_source(run.bundle), encoding="utf-8")
    monkeypatch.delitem(sys.modules, "winner", raising=False)
    program = runpy.run_path(str(path))
    rows = reviews(numbers=True).head(20)
    found = program["predict"](program["load"](run.path / "bundle"), {n: rows[n].tolist() for n in rows})
    np.testing.assert_allclose(found["p_good"], run.predict(rows)["p_good"], atol=1e-5)
