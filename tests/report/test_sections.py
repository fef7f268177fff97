"""What not every report has: an alarm, what was skipped, pictures, words."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from composable.problem.problem import Head
from composable.report.page import write_report
from composable.report.section import draw

MakeRun = Callable[..., Path]


def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def picture(color: str) -> str:
    written = io.BytesIO()
    Image.new("RGB", (2, 2), color).save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def test_a_model_that_is_no_better_than_a_constant_predictor_is_called_so(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    path = run / "trials/0/trial.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"test": {"rmse": 2100.0}}))
    assert "Don&#39;t deploy it" in page(run)


def test_what_was_skipped_is_no_failure(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    path = run / "trials/5/trial.json"
    skipped = {"status": "skipped", "reason": "it takes about 9.0 s, too much of the time"}
    path.write_text(json.dumps(json.loads(path.read_text()) | skipped))
    written = page(run)
    assert "wide was skipped: it takes about 9.0 s" in written
    assert "<h3>Failed</h3>" not in written


@pytest.mark.parametrize(
    ("metric", "better", "errors"),
    [
        ("mae", "lower is better", "Greatest errors"),
        ("accuracy", "higher is better", "Most confident errors"),
    ],
)
def test_pictures_say_where_the_model_looked_and_what_is_better(
    make_run: MakeRun, regression: tuple[Head, ...], metric: str, better: str, errors: str
) -> None:
    run = make_run(regression)
    red, green, blue = map(picture, ("red", "green", "blue"))
    shown = {"name": "<b>a.png</b>", "picture": red, "saliency": green, "observed": 1.0, "predicted": 9.0}
    content = {
        "errors": [shown],
        "close": [{"name": "c.png", "picture": blue, "observed": "x", "predicted": "x", "probability": 0.4}],
        "altered": [{"alteration": "darker", "metric": metric, "value": 0.5, "rows": 128}],
    }
    (run / "pictures.json").write_text(json.dumps(content), encoding="utf-8")
    written = page(run)
    assert all(one in written for one in (red, green, blue, better, errors, "Close calls", "128 images"))
    assert "integrated gradients" in written
    assert "<b>a.png" not in written


def test_words_are_marked_and_nothing_in_a_text_becomes_markup(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    pieces = [["<script>alert(1)</script>", 1.0], [" ", 0.0], ["calm", -0.5], ["\u202eabc", 0.01]]
    grams = [{"column": "t", "kind": "characters", "text": "ing ", "rows": 5, "effect": 0.25}]
    error = {
        "observed": 1.0,
        "predicted": 9.0,
        "texts": [{"column": "t", "pieces": pieces, "complete": False}],
    }
    content = {"how": "weights", "words": [{"answer": "higher", "ngrams": grams}], "errors": [error, 7, {}]}
    (run / "texts.json").write_text(json.dumps(content), encoding="utf-8")
    shown = page(run)
    assert '<mark class="for3"><bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi></mark>' in shown
    assert '<mark class="against2"><bdi>calm</bdi></mark>' in shown
    assert "…ing" in shown
    assert "0.25, 5 rows" in shown
    assert "<script" not in shown
    (run / "texts.json").write_text(
        '{"words": [[], {"ngrams": {}}], "errors": [{"texts": [{"pieces": 3}]}]}', encoding="utf-8"
    )
    assert "<h2>Words</h2>" in page(run)


def test_series_are_drawn_and_nothing_in_a_file_becomes_markup(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    error = {
        "row": 7,
        "observed": "<b>up</b>",
        "predicted": 9.0,
        "channels": [[[0, 1.0], [1, 3.0], [2, "x"]], "nothing", []],
        "windows": [[0, 1, 0.5], [1, 2, -1.0], [3, None, 2.0], 5],
    }
    (run / "series.json").write_text(json.dumps({"errors": [error, 7, {}]}), encoding="utf-8")
    shown = page(run)
    assert "<h2>Series</h2>" in shown
    assert "are marked" in shown
    assert "row 7" in shown
    assert "<b>up" not in shown
    (run / "series.json").write_text('{"errors": []}', encoding="utf-8")
    assert "every series here was predicted right" in page(run)


@pytest.mark.parametrize(("ends", "tick"), [((1990, 2010), "2000"), ((0, 50_000), "20,000")])
def test_ticks_are_grouped_where_they_cannot_be_years(ends, tick):
    chart = draw(lambda figure: figure.subplots().plot(ends, (0, 1)), title="t", span="half", height=2)
    assert f">{tick}<" in chart.svg
