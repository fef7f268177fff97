"""G2: the command works in poor surroundings: an ASCII terminal, no home, odd folders, a closed pipe."""

import json
import os
import subprocess
import sys

import pytest

SURROUNDINGS = {
    "C": {"LC_ALL": "C"},
    "ascii": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "turkish": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
    "no-home": {"HOME": None},
    "home-is-gone": {"HOME": "/nonexistent"},
}


def call(arguments, cwd, **environment):
    merged = {**os.environ, **environment}
    known = {name: value for name, value in merged.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", "composable", *arguments],
        cwd=cwd,
        env=known,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_a_table_and_json_come_out_everywhere(tmp_path, surroundings):
    folder = tmp_path / ("Ordner mit Ümlaut 猫 " + "x" * 150)
    folder.mkdir()
    (folder / "fit.yaml").write_text("target: €\ntime_limt: 3\n", encoding="utf-8")
    refused = call(["fit", "no.csv", "--config", str(folder / "fit.yaml")], folder, **surroundings)
    assert refused.returncode == 2
    assert b"time_limit" in refused.stderr
    assert b"Traceback" not in refused.stderr


def test_ascii_terminals_get_ascii(tmp_path):
    script = tmp_path / "table.py"
    script.write_text(
        "from composable.cli.output import prepare_streams\n"
        "from composable.cli.output import print_pairs\n"
        "prepare_streams()\n"
        "print_pairs('Größe', {'€': 'ü'})\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, **SURROUNDINGS["ascii"]}, capture_output=True, check=True
    )
    assert done.stdout.isascii()
    assert b"\\u20ac" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -m composable --help | head -c 1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""


def test_an_error_leaves_json_consumers_an_empty_stdout(tmp_path):
    refused = call(["fit", "no.csv", "--json"], tmp_path)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert json.dumps(refused.stderr.decode())


@pytest.fixture
def table(tmp_path):
    """A table with a learnable number, in a folder with a difficult name."""
    folder = tmp_path / "Ordner mit Ümlaut 猫"
    folder.mkdir()
    rows = "".join(f"{n % 7},{'ab'[n % 2]},{n % 7 * 2 + n % 2}.5\n" for n in range(60))
    (folder / "größe.csv").write_text("x,farbe,größe\n" + rows, encoding="utf-8")
    return folder / "größe.csv"


FIT = ["--target", "größe", "--max-trials", "1", "--out", "run", "--json"]


@pytest.mark.slow
@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_a_fit_gives_the_same_result_everywhere(table, surroundings):
    done = call(["fit", str(table), *FIT], table.parent, **surroundings)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    plain = call(["fit", str(table), *FIT, "--out", "plain"], table.parent)
    scores = [[row["validation"] for row in json.loads(run.stdout)["leaderboard"]] for run in (done, plain)]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_a_fit_needs_no_network(table):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine doesn't let a process leave the network")
    words = [sys.executable, "-m", "composable", "fit", str(table), *FIT]
    done = subprocess.run(
        ["unshare", "-rn", *words], cwd=table.parent, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
