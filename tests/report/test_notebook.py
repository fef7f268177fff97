"""What a notebook shows of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import html5lib
import pytest

from composable.problem.problem import Head
from composable.report.notebook import report_html, run_html
from composable.report.page import write_report


@pytest.mark.parametrize("shown", [run_html, report_html])
def test_a_notebook_shows_a_page_in_a_frame_that_runs_nothing(
    make_run: Callable[..., Path], regression: tuple[Head, ...], shown: Callable[[Path], str]
) -> None:
    run = make_run(regression)
    parsed = html5lib.parseFragment(shown(run), namespaceHTMLElements=False)
    (frame,) = list(parsed)
    assert frame.tag == "iframe"
    assert frame.get("sandbox") == ""
    page = frame.get("srcdoc")
    assert "<h1><bdi>price from cars.csv</bdi></h1>" in page
    assert "<h2>Leaderboard</h2>" in page
    assert ("<h2>Model card</h2>" in page) == (shown is report_html)
    assert page == write_report(run).read_text(encoding="utf-8") or shown is run_html


def test_a_notebook_shows_a_run_that_has_only_begun(tmp_path: Path) -> None:
    assert "Incomplete" in run_html(tmp_path)
