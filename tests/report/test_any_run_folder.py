"""The report opens whatever the run folder holds: nothing, half of a run, damage, extremes, too much."""

from __future__ import annotations

import itertools
import json
import re
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


FILES = ("run.json", "profile.json", "diagnostics.json", "trials/3/trial.json")


TWO_HEADS = (
    Head("heating", "regression", ("heating",)),
    Head("risk", "binary", ("risk",), ("no", "yes")),
)


def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def test_an_empty_folder_opens(tmp_path: Path) -> None:
    written = page(tmp_path)
    assert "Incomplete: run.json is missing" in written
    assert "No candidate has a score yet" in written
    assert "The data has not been profiled" in written


@pytest.mark.parametrize("integers", [False, True])
def test_numbers_that_are_not_finite_leave_a_page(make_run: MakeRun, integers: bool) -> None:
    """NaN, infinities, overflowing, huge and missing numbers wherever a number is expected."""
    run = make_run(TWO_HEADS, rows=40)
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
    run = make_run(TWO_HEADS, rows=40)
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
