"""The command as a whole: help, suggestions, messages and exit codes."""

import click
import pytest

from composable.cli.output import exit_code_of
from composable.core import errors


def test_help_lists_the_verbs_in_the_order_of_use(command):
    shown = command("--help")
    verbs = [
        "inspect",
        "fit",
        "status",
        "leaderboard",
        "explain",
        "failures",
        "predict",
        "evaluate",
        "export",
        "source",
        "report",
        "design",
        "doctor",
    ]
    positions = [shown.out.index(f"\n  {verb} ") for verb in verbs]
    assert (shown.code, positions) == (0, sorted(positions))


@pytest.mark.parametrize(
    "verb",
    [
        "inspect",
        "fit",
        "status",
        "leaderboard",
        "explain",
        "failures",
        "predict",
        "evaluate",
        "export",
        "source",
        "report",
        "doctor",
    ],
)
def test_every_verb_explains_itself(command, verb):
    shown = command(verb, "--help")
    assert shown.code == 0
    assert "--json" in shown.out


def test_version(command):
    assert command("--version").out == "composable 0.1.0\n"


def test_an_unknown_verb_names_the_nearest(command):
    refused = command("fitt", "cars.csv")
    assert refused.code == 2
    assert "Did you mean 'fit'?" in refused.err


def test_an_unknown_flag_is_refused_without_traceback(command):
    refused = command("fit", "cars.csv", "--targt", "price")
    assert refused.code == 2
    assert "--target" in refused.err
    assert "Traceback" not in refused.err


FAILURES = [
    (errors.DataError("The table must have rows."), 2),
    (errors.ConfigError("x"), 2),
    (errors.ArtifactError("x"), 2),
    (errors.SetupError("x"), 3),
    (errors.NothingSucceeded("x"), 4),
    (PermissionError(13, "Permission denied", "out.csv"), 3),
    (MemoryError(), 3),
    (KeyboardInterrupt(), 130),
    (click.Abort(), 130),
    (click.UsageError("x"), 2),
    (ZeroDivisionError("x"), 1),
]


@pytest.mark.parametrize(
    ("failure", "code"), FAILURES, ids=lambda value: getattr(type(value), "__name__", value)
)
def test_exit_codes(failure, code, capsys):
    assert exit_code_of(failure, debug=False) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert "Traceback" not in captured.err


def test_the_message_has_rule_received_and_remedy(command, auto):
    auto.failure = errors.DataError(
        "A target has values.", received="cars.csv, column 'price'", remedy="--target make"
    )
    failed = command("fit", "cars.csv", "--target", "price")
    assert failed.code == 2
    assert failed.err.endswith(
        "Error: A target has values.\nReceived: cars.csv, column 'price'\nRemedy: --target make\n"
    )


def test_a_bug_says_so_where_and_how_to_see_more(command, auto):
    auto.failure = ZeroDivisionError("division\nby zero")
    failed = command("fit", "cars.csv", "--target", "price")
    last = failed.err.splitlines()[-1]
    assert failed.code == 1
    assert (
        "this is a bug in Composable: ZeroDivisionError: division by zero (composable/cli/fit.py, line"
        in last
    )
    assert "--debug" in last
    assert "Traceback" not in failed.err


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback_wherever_it_is_typed(command, auto, place):
    auto.failure = errors.DataError("No.")
    words = ["fit", "cars.csv", "--target", "price"]
    failed = command(*(["--debug", *words] if place == "before" else [*words, "--debug"]))
    assert failed.code == 2
    assert "Traceback (most recent call last)" in failed.err
