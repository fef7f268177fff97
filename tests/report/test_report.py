"""The report says what it must, is safe, and is the same for the same run."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import pytest

from composable.problem.problem import Head
from composable.report.page import write_report

MakeRun = Callable[..., Path]


ELEMENTS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "section",
        "nav",
        "p",
        "h1",
        "h2",
        "h3",
    ),
    *("ul", "li", "a", "b", "bdi", "code", "pre", "span", "div", "figure", "figcaption", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "defs", "clipPath", "rect", "text", "use"),
}


ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "href",
        "role",
        "aria-label",
        "style",
    ),
    *("viewBox", "d", "x", "y", "width", "height", "rx", "transform", "clip-path"),
}


SVG = "{http://www.w3.org/2000/svg}"


KINDS = {
    "regression": (Head("price", "regression", ("price",)),),
    "binary": (Head("income", "binary", ("income",), ("<=50K", ">50K")),),
    "multiclass": (Head("letter", "multiclass", ("letter",), tuple(string.ascii_uppercase)),),
    "multilabel": (Head("genres", "multilabel", ("drama", "comedy", "crime"), (0, 1)),),
    "two heads": (
        Head("heating", "regression", ("heating",)),
        Head("risk", "binary", ("risk",), ("no", "yes")),
    ),
}


def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_problem_has_all_its_sections(make_run: MakeRun, kind: str) -> None:
    run = make_run(KINDS[kind], metric="rmse" if kind in ("regression", "two heads") else "roc_auc")
    written = page(run)
    expected = {
        "regression": ["price: predicted against observed", "price: errors"],
        "binary": ["income: confusion matrix", "income: reliability", "income: ROC curve"],
        "multiclass": ["letter: confusion matrix", "letter: reliability", "Most frequent confusions"],
        "multilabel": ["genres: reliability", "Each label at probability 0.5", "comedy"],
        "two heads": ["heating: errors", "risk: ROC curve"],
    }[kind]
    shared = ["Scores of the candidates", "Permutation importance", "tabm_mini (trial 3)", "piecewise_linear"]
    shared += ["baseline, never deployed", "Intended use", "composable.load", "--delimiter", "Seed"]
    for words in [*expected, *shared]:
        assert words in written, words
    assert "Incomplete" not in written


def test_headline_says_how_good_the_model_is(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    written = page(make_run(regression)).replace("\N{NO-BREAK SPACE}", " ")
    assert "it is typically off by 2200" in written
    assert "A constant predictor, which predicts the same for every row, scores 7700" in written
    assert "the model&#39;s RMSE is 71 % smaller" in written
    assert "the model is 11 % better" in written
    assert "90 % interval" in written
    assert "Don&#39;t deploy it" not in written


def test_the_expected_score_stands_first_with_its_interval(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    expected = {"metric": "rmse", "value": 2150.0, "low": 1980.0, "high": 2330.0, "rows": 2160}
    run = make_run(regression)
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"expected": expected}))
    written = page(run).replace("\N{NO-BREAK SPACE}", " ")
    assert "On 2,160 held-out rows that it did not learn from, it is typically off by 2150" in written
    assert "its 90 % interval is 1980 to 2330" in written
    assert "On the test rows, which nothing was chosen by, it is 2200." in written
    assert '<td class="number">2150 (1980 to 2330)</td>' in written


def test_without_test_rows_there_is_no_column_for_them(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    for path in run.glob("trials/*/trial.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"test": {}}))
    written = page(run)
    board = written[written.index("<h2>Leaderboard</h2>") : written.index("<h2>Errors</h2>")]
    assert "Validation" in board
    assert "Test" not in board
    assert "test rows" not in board


@pytest.mark.parametrize("change", [{"low": 2400.0}, {"high": None}, {"value": "much"}])
def test_an_expected_score_that_makes_no_sense_is_left_out(
    make_run: MakeRun, regression: tuple[Head, ...], change: dict[str, Any]
) -> None:
    expected = {"metric": "rmse", "value": 2150.0, "low": 1980.0, "high": 2330.0, "rows": 2160} | change
    run = make_run(regression)
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"expected": expected}))
    written = page(run)
    assert "Expected" not in written
    assert "it is typically off by 2200" in written


def test_a_small_difference_is_called_small(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    path = run / "trials/1/trial.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"test": {"rmse": 2300.0}}))
    assert "about as good" in page(run)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass", "multilabel"])
def test_names_never_become_markup(make_run: MakeRun, nasty_names: tuple[str, ...], kind: str) -> None:
    heads = {
        "regression": tuple(Head(name, "regression", (name,)) for name in nasty_names[:8]),
        "binary": tuple(Head(name, "binary", (name,), nasty_names[:2]) for name in nasty_names[:8]),
        "multiclass": (Head(nasty_names[6], "multiclass", nasty_names[6:7], nasty_names),),
        "multilabel": (Head(nasty_names[7], "multilabel", nasty_names, nasty_names[:2]),),
    }[kind]
    nasty = " ".join(nasty_names)
    changes = {
        "status": nasty,
        "created": nasty,
        "data": {"origin": nasty, "fingerprint": nasty, "rows": 10, "columns": 3, "test_origin": nasty},
        "split": {"text": nasty, "rows": {nasty: 3}},
        "notices": [
            {"text": name, "level": "warning", "column": name, "remedy": name} for name in nasty_names
        ],
        "versions": dict.fromkeys(nasty_names, nasty),
        "machine": dict.fromkeys(nasty_names, nasty),
        "options": {"seed": nasty},
    }
    run = make_run(heads, names=nasty_names, run=changes)
    for path in run.glob("trials/*/trial.json"):
        trial = json.loads(path.read_text())
        part = {"component": nasty_names[1], nasty_names[0]: nasty, "inner": {"component": nasty}}
        trial |= {
            "name": f"{nasty_names[int(path.parent.name)]}",
            "reason": nasty,
            "settings": {nasty_names[3]: nasty},
        }
        trial |= {"architecture": {"stem": part, nasty_names[0]: [part, part], "tasks": [part] * 9}}
        path.write_text(json.dumps(trial))
    written = page(run)
    parser = html5lib.HTMLParser(namespaceHTMLElements=True)
    tree = parser.parse(written)
    assert parser.errors == []
    for element in tree.iter():
        assert isinstance(element.tag, str), "a comment"
        assert local(element.tag) in ELEMENTS, element.tag
        for name, value in element.attrib.items():
            assert local(name) in ATTRIBUTES, (element.tag, name)
            if local(name) in ("href", "style", "clip-path"):
                assert not re.search(r"url\((?!#)|javascript|//", value), value
    words = " ".join(tree.itertext())
    assert "<script>alert(1)</script>" in words
    assert "{{ 7 * 7 }}" in words
    for invisible in ("\u202e", "\x00", "\x1b", "\ud800"):
        assert invisible not in written


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_holds_no_script_link_or_request(make_run: MakeRun, kind: str) -> None:
    """A policy that forbids everything, no script, no link that leaves the page, no identifier twice."""
    written = page(make_run(KINDS[kind]))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in written
    assert not re.search(r"<(script|link|iframe|img|object|embed|base|form)\b", written)
    assert not re.search(r"https?:|//[a-z]|@import", written)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', written))
    identifiers = re.findall(r' id="([^"]*)"', written)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', written)) <= set(identifiers)


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_has_marks_a_title_and_words(make_run: MakeRun, kind: str) -> None:
    tree = html5lib.parse(page(make_run(KINDS[kind])))
    charts = list(tree.iter(f"{SVG}svg"))
    assert len(charts) >= 8
    for chart in charts:
        assert chart.get("aria-label")
        assert chart.find(f"{SVG}title").text
        assert any("mark" in (element.get("class") or "").split() for element in chart.iter())


def test_the_same_run_gives_the_same_bytes(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    assert page(run) == page(run)


def test_the_page_is_written_whole(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    assert write_report(run) == run / "report.html"
    assert not list(run.glob("*.tmp"))
    assert page(run).rstrip().endswith("</html>")


def test_few_rows_are_called_uncertain(make_run: MakeRun) -> None:
    run = make_run(KINDS["multilabel"], metric="roc_auc", rows=20)
    written = page(run)
    assert "On 20 test rows" in written
    assert "With so few rows it is uncertain" in written
