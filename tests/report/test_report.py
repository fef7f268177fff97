"""The report opens, says what it must, and is safe, whatever the run folder holds."""

from __future__ import annotations

import itertools
import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composable.problem.problem import Head
from composable.report.facts import read_facts
from composable.report.page import render, write_report

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
FILES = ("run.json", "profile.json", "diagnostics.json", "trials/3/trial.json")
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


def test_an_empty_folder_opens(tmp_path: Path) -> None:
    written = page(tmp_path)
    assert "Incomplete: run.json is missing" in written
    assert "No candidate has a score yet" in written
    assert "The data has not been profiled" in written


@pytest.mark.parametrize("integers", [False, True])
def test_numbers_that_are_not_finite_leave_a_page(make_run: MakeRun, integers: bool) -> None:
    """NaN, infinities, overflowing, huge and missing numbers wherever a number is expected."""
    run = make_run(KINDS["two heads"], rows=40)
    bad = itertools.cycle(
        ["NaN", "Infinity", "-Infinity", "1e999", "1e308", "-1e99", "null", '"x"', "1" * 5000]
    )
    finite = (
        r"(?<=[:\[] )-?\d+(\.\d+)?(e-?\d+)?(?=[,\]}])" if integers else r"(?<=[:\[] )-?\d+\.\d+(?=[,\]}])"
    )
    for path in run.rglob("*.json"):
        path.write_text(re.sub(finite, lambda _: next(bad), path.read_text()))
    written = re.sub(r"<style.*?</style>", "", page(run), flags=re.DOTALL)
    assert "Model card" in written
    assert not re.search(r"\b(nan|inf|infinity)\b", written, re.IGNORECASE)


def test_of_ten_thousand_trials_the_best_are_shown(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    trial = json.loads((run / "trials/4/trial.json").read_text()) | {"histories": []}
    for number in range(6, 10_006):
        folder = run / f"trials/{number}"
        folder.mkdir()
        changed = trial | {
            "number": number,
            "validation": {"rmse": 2000.0 + number},
            "status": "done" if number % 3 else "failed",
        }
        (folder / "trial.json").write_text(json.dumps(changed))
    written = page(run)
    assert len(written) < 5_000_000
    assert "53 of 6,671 candidates are shown" in written
    assert "3,335 candidates failed; the first 10 are listed" in written
    assert "constant predictor" in written
    assert "The best 6 of 6,669 networks are drawn" in written


def test_of_a_hundred_thousand_columns_some_are_shown(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    path = run / "profile.json"
    profile = json.loads(path.read_text())
    profile["columns"] = [
        profile["columns"][1] | {"name": f"c{place}" + "y" * 9000} for place in range(2000)
    ] + profile["columns"]
    outline = {
        "name": "later",
        "kind": "number",
        "role": "feature",
        "missing": None,
        "warnings": ["not looked at"],
    }
    profile["columns"] += [outline] * 97_991
    path.write_text(json.dumps(profile))
    content = json.loads((run / "run.json").read_text())
    content["data"]["columns"] = 100_000
    (run / "run.json").write_text(json.dumps(content))
    diagnostics = json.loads((run / "diagnostics.json").read_text())
    diagnostics["importance"] *= 500
    (run / "diagnostics.json").write_text(json.dumps(diagnostics))
    written = page(run)
    assert len(written) < 5_000_000
    assert "300 of 100,000 columns are shown" in written
    assert "The 20 most important of 3,000 columns are drawn" in written
    assert '<tr class="target"><td><bdi class="name">price' in written
    assert "normalized_losses" in written
    assert "not looked at" not in written


def test_many_classes_are_cut_and_it_is_said(make_run: MakeRun) -> None:
    labels = tuple(f"class {place}" for place in range(120))
    run = make_run((Head("many", "multiclass", ("many",), labels),), rows=1500)
    assert "The 30 most frequent of 120 classes are drawn" in page(run)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("running", "still going on"),
        ("interrupted", "was interrupted"),
        ("failed", "the run failed"),
        ("odd", "“odd”"),
    ],
)
def test_an_unfinished_run_says_so(
    make_run: MakeRun, regression: tuple[Head, ...], status: str, words: str
) -> None:
    written = page(make_run(regression, run={"status": status}))
    assert re.search(rf'class="banner"[^>]*>Incomplete: [^<]*{words}', written)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_costs_its_own_section_only(
    make_run: MakeRun, regression: tuple[Head, ...], name: str
) -> None:
    run = make_run(regression)
    (run / name).write_text('{"half": [1, 2')
    written = page(run)
    untouched = {
        "run.json": "normalized_losses",
        "profile.json": "price: errors",
        "diagnostics.json": "Scores of the candidates",
        "trials/3/trial.json": "HistGradientBoosting",
    }
    assert untouched[name] in written
    assert (run / name).read_text() == '{"half": [1, 2'


@pytest.mark.parametrize("content", [None, b"", b"[]", b"null", b'{"heads": 3}', b"\x00\xff", b"[" * 100_000])
def test_empty_and_missing_files_leave_a_page(
    make_run: MakeRun, regression: tuple[Head, ...], content: bytes | None
) -> None:
    run = make_run(regression)
    for name in FILES:
        (run / name).unlink() if content is None else (run / name).write_bytes(content)
    assert "Incomplete" in page(run)


def leaves() -> st.SearchStrategy[object]:
    return st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))


def anything() -> st.SearchStrategy[object]:
    return st.recursive(
        leaves(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )


@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_any_value_in_any_place_leaves_a_page(make_run: MakeRun, examples: int) -> None:
    """One value of the folder is replaced by another JSON value, of whatever type."""
    run = make_run(KINDS["two heads"], rows=40)
    whole = {name: (run / name).read_text() for name in FILES}

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        for name, content in whole.items():
            (run / name).write_text(json.dumps(_with_one_change(json.loads(content), data)))
        parser = html5lib.HTMLParser()
        parser.parse(render(read_facts(run)))
        assert parser.errors == []

    check()


def _with_one_change(content: Any, data: st.DataObject) -> Any:
    place = content
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        deeper = place[key]
        if not isinstance(deeper, (dict, list)) or not deeper or data.draw(st.integers(0, 3)) == 0:
            break
        place = deeper
    place[key] = data.draw(anything())
    return content


def test_extreme_residuals_do_not_break_the_charts(make_run: MakeRun, regression: tuple[Head, ...]) -> None:
    run = make_run(regression)
    path = run / "diagnostics.json"
    content = json.loads(path.read_text())
    for observed in ([1e99, -1e99], [1e-300, 2e-300], [1.0]):
        content["heads"][0] |= {"observed": observed, "predicted": [1.0] * len(observed)}
        path.write_text(json.dumps(content))
        assert "price: predicted against observed" in page(run)


def test_one_diverged_candidate_does_not_squeeze_the_chart(
    make_run: MakeRun, regression: tuple[Head, ...]
) -> None:
    run = make_run(regression)
    path = run / "trials/4/trial.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validation": {"rmse": 1e30}}))
    assert "1 candidate much worse than the constant predictor" in page(run)


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
