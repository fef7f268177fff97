"""Every block of the documentation runs, in its order, in an empty folder with the examples beside it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from composable.auto.options import FitOptions
from composable.cli.fit import fit_options
from composable.cli.flags import Switches
from composable.cli.main import composable as group

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md", "CONTRIBUTING.md",
    "docs/guide.md", "docs/design.md", "docs/chapter-1.md", "docs/training.md", "docs/add-a-modality.md",
)  # fmt: skip
RUN = (
    "README.md", "docs/guide.md", "docs/design.md", "docs/chapter-1.md", "docs/training.md",
    "docs/add-a-modality.md",
)  # fmt: skip
BUDGET = re.compile(r"(time[-_]limit[ =])\d+")
SECONDS = 8  # of each fit in these tests


def blocks(page, language):
    """The texts of a page's blocks in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def shell_lines():
    """Every line that the pages tell a user to type."""
    return [
        pytest.param(line, id=line[:40])
        for page in PAGES
        for text in blocks(page, "sh")
        for line in text.splitlines()
    ]


@pytest.mark.parametrize("line", shell_lines())
def test_every_line_to_type_is_understood(line):
    program, verb, *arguments = shlex.split(line)
    if program == "composable":
        command = group.get_command(click.Context(group), verb)
        command.make_context(verb, arguments, obj=Switches())
    elif program == "make":
        assert re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    else:
        assert (program, verb) == ("pip", "install")
        extras = re.findall(r"\[(.*)\]", arguments[0])
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert all(extra in known for names in extras for extra in names.split(","))


@pytest.mark.parametrize("page", PAGES)
def test_every_language_of_a_block_is_one_that_is_tested(page):
    assert set(re.findall(r"^```(\w+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)) <= {
        "sh",
        "python",
        "yaml",
    }


def test_the_config_file_of_the_readme_is_valid(tmp_path):
    (text,) = blocks("README.md", "yaml")
    (tmp_path / "fit.yaml").write_text(text)
    assert fit_options({}, tmp_path / "fit.yaml") == FitOptions(
        target=("price",), time_limit=60.0, metric="mae", split="group:make", drop=("symboling",)
    )


@pytest.mark.parametrize(
    "page", [*PAGES, "CHANGELOG.md", "examples/README.md", "docs/run-folder.md", "benchmarks/README.md"]
)
def test_every_link_inside_the_repository_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def typed(example):
    """Run the lines of a shell block that call the program."""
    for line in example.parsed.splitlines():
        if line.startswith("composable "):
            words = shlex.split(line)[1:]
            subprocess.run(
                [sys.executable, "-m", "composable", *words], check=True, timeout=120, env=os.environ
            )


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_every_block_of_a_page_runs(name, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    text = (ROOT / name).read_text(encoding="utf-8")
    page.write_text(BUDGET.sub(rf"\g<1>{SECONDS}", text), encoding="utf-8")
    document = Sybil(parsers=[PythonCodeBlockParser(), CodeBlockParser("sh", typed)]).parse(page)
    for example in document:
        example.evaluate()
    assert document.namespace.get("accuracy", 1.0) > 0.4  # where a page trains a network, it learned
