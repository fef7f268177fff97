"""The report in a real browser: no request, no complaint, and every chart is drawn."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from composable.problem.problem import Head
from composable.report.page import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium: apt-get install chromium")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"),
)
# The browser reads its descriptor 3 and writes its descriptor 4: put ours there, then become the browser.
STARTER = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(given), fcntl.F_DUPFD, 10) for given in sys.argv[1:3]]
for place, descriptor in enumerate(ours, 3):
    os.dup2(descriptor, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
SECONDS = 60
# Chart by chart: its title, and how many of its marks take up room on the page.
MARKS = """JSON.stringify([...document.querySelectorAll('svg.chart')].map(chart => [
  chart.querySelector('title').textContent,
  [...chart.querySelectorAll('.mark')].filter(mark => {
    const box = mark.getBoundingClientRect();
    return box.width + box.height > 1 && getComputedStyle(mark).visibility === 'visible';
  }).length]))"""
# What reaches out of the page to the right of the window.
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Page:
    """A page of Chromium, asked in the DevTools protocol through a pipe: JSON, ended by a zero byte."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.to_browser, self.from_browser, self.numbers, self.rest = (
            to_browser,
            from_browser,
            itertools.count(1),
            b"",
        )
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        return self.wait(lambda answer: answer.get("id") == number)["result"]

    def open(self, path: Path) -> None:
        self.call("Page.navigate", url=path.as_uri())
        self.wait(lambda event: event.get("method") == "Page.loadEventFired")

    def ask(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression)["result"]["value"]

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            while b"\0" not in self.rest:
                received = os.read(self.from_browser, 1 << 20)
                assert received, "Chromium has gone"
                self.rest += received
            line, _, self.rest = self.rest.partition(b"\0")
            message = json.loads(line)
            self.events.append(message)
            if wanted(message):
                return message
        raise TimeoutError("Chromium didn't answer.")

    def named(self, *methods: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") in methods]


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            STARTER,
            str(from_us),
            str(to_us),
            str(BROWSER),
            *FLAGS,
            f"--user-data-dir={profile}",
        ],
        pass_fds=(from_us, to_us),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_us)
    os.close(to_us)
    try:
        yield Page(to_browser, from_browser)
    finally:
        process.kill()
        process.wait()
        os.close(to_browser)
        os.close(from_browser)


HEADS = (
    Head("price", "regression", ("price",)),
    Head("income", "binary", ("income",), ("<=50K", ">50K")),
    Head("letter", "multiclass", ("letter",), tuple(string.ascii_uppercase)),
    Head("genres", "multilabel", ("drama", "comedy"), (0, 1)),
)


def test_chromium_asks_the_network_nothing_and_draws_every_chart(
    make_run: Callable[..., Path], nasty_names: tuple[str, ...], tmp_path: Path
) -> None:
    report = write_report(make_run(HEADS, names=nasty_names))
    with chromium(tmp_path / "profile") as page:
        page.open(report)
        charts = json.loads(page.ask(MARKS))
        overflow = page.ask(WIDE)
        requests = [params["request"]["url"] for params in page.named("Network.requestWillBeSent")]
        console = page.named("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    assert requests == [report.as_uri()]
    assert console == []
    assert overflow <= 0
    titles = [title for title, _ in charts]
    for title in (
        "Scores of the candidates",
        "income: ROC curve",
        "letter: confusion matrix",
        "Permutation importance",
    ):
        assert title in titles
    assert [title for title, marks in charts if not marks] == []


def test_the_browser_test_would_see_a_request_and_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<img src='other.png'><script>console.error('no')</script><svg class=chart><title>t</title></svg>"
    )
    with chromium(tmp_path / "profile") as page:
        page.open(path)
        assert json.loads(page.ask(MARKS)) == [["t", 0]]
        assert len(page.named("Network.requestWillBeSent")) == 2
        assert page.named("Runtime.consoleAPICalled")
