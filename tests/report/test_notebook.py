"""What a notebook shows of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import html5lib
import pytest

import composable
from composable.problem.problem import Head
from composable.report.page import run_html


@pytest.mark.parametrize("whole", [False, True], ids=["a run", "its report"])
def test_a_notebook_shows_a_page_in_a_frame_that_runs_nothing(
    make_run: Callable[..., Path], regression: tuple[Head, ...], *, whole: bool
) -> None:
    run = composable.Run(make_run(regression))
    shown = run.report() if whole else run
    parsed = html5lib.parseFragment(shown._repr_html_(), namespaceHTMLElements=False)
    (frame,) = list(parsed)
    assert frame.tag == "iframe"
    assert frame.get("sandbox") == ""
    page = frame.get("srcdoc")
    assert "<h1><bdi>price from cars.csv</bdi></h1>" in page
    assert "<h2>Leaderboard</h2>" in page
    assert ("<h2>Model card</h2>" in page) == whole


def test_a_report_can_be_opened_as_a_file(
    make_run: Callable[..., Path], regression: tuple[Head, ...]
) -> None:
    report = composable.Run(make_run(regression)).report()
    assert Path(report).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert str(report) == str(report.path)


def test_a_notebook_shows_a_run_that_has_only_begun(tmp_path: Path) -> None:
    assert "Incomplete" in run_html(tmp_path)
