"""The study in a PostgreSQL database: its address, name and password, and a server that comes and goes."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

import composable
from composable.auto.options import FitOptions
from composable.core.errors import ConfigError, SetupError
from composable.search.study import study_of
from composable.search.study_file import Entry, trials_of
from composable.search.study_server import check_address, masked, name_on_server, opened_on_server

PASSWORD = "p@ss:w@rd"
NAME = 'it\'s "a"; ../%s, 🚗 ' + "x" * 300
BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
ENTRY = Entry(1, "id1", "mlp", "mlp", {}, {}, "done", 0.5)


class Server:
    """A PostgreSQL server in a folder of its own, run by a user that isn't root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "postgres" if os.geteuid() == 0 else None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "password").write_text(PASSWORD)
        if self.user:
            for path in (folder, folder / "password"):
                os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        secret = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--username=me"]
        self.run("initdb", "--no-sync", "--encoding=UTF8", *secret)

    def run(self, program, *arguments):
        command = [BINARIES / program, "-D", self.folder / "data", *arguments]
        subprocess.run(
            command, user=self.user, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=60
        )

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    @property
    def address(self):
        return f"postgresql://me:{quote(PASSWORD)}@127.0.0.1:{self.port}/postgres"

    def trials(self, name):
        storage, study = opened_on_server(self.address, name, higher_is_better=False)
        found = trials_of(study)
        storage.remove_session()
        storage.engine.dispose()
        return found

    def sql(self, text):
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            answer = connection.execute(text)
            return answer.fetchall() if answer.description else []


@pytest.fixture(scope="module")
def server():
    if BINARIES is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip('the driver is missing: pip install "composable-automl[postgresql]"')
    folder = Path(tempfile.mkdtemp(prefix="composable-postgresql-"))
    started = Server(folder)
    started.start()
    yield started
    started.stop()
    shutil.rmtree(folder)


def told(folder, server, entries, name="cars: price"):
    said = []
    study = study_of(folder, name, address=server.address, higher_is_better=False, warn=said.append)
    study.tell(entries)
    study.close()
    return said


def is_told(texts):
    """Whether a text holds the password, as it is or as an address holds it."""
    return any(word in text for text in texts for word in (PASSWORD, quote(PASSWORD)))


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///study.db",
        "mysql://me@host/db",
        "postgresql://host",
        "postgresql://host:port/db",
        "postgresql://[::1/db",
        "study.db",
        "",
    ],
)
def test_what_is_no_address_of_a_database_is_refused(address):
    with pytest.raises(ConfigError, match="postgresql://user@host:5432/database"):
        FitOptions(("y",), study=address)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_addresses_that_are_taken(scheme):
    check_address(f"{scheme}://me:a%25b@127.0.0.1:5432/db?sslmode=require")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:a@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a/b@c:d@host:1/db", "postgresql://me:***@host:1/db"),
        ("postgresql://:a@host/db", "postgresql://:***@host/db"),
        ("postgresql://host/db?user=me&password=a%b&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
    ],
)
def test_a_password_is_masked_wherever_it_stands(address, shown):
    assert masked(address) == shown


def test_options_never_show_a_password():
    options = FitOptions(("y",), study="postgresql://me:secret@host/db")
    assert "secret" not in f"{options!r} {options.shown}"
    assert options.shown["study"] == "postgresql://me:***@host/db"


def test_each_run_has_a_study_of_its_own(tmp_path):
    names = {name_on_server(NAME, tmp_path / part) for part in ("a", "b", "x" * 250 + "/c", "x" * 250 + "/d")}
    assert len(names) == 4
    assert all(len(name) <= 512 for name in names)


def test_nothing_is_told_twice_and_what_is_missing_is_added(tmp_path, server):
    second = replace(ENTRY, trial=2, identity="id2", status="failed", score=float("nan"), reason="diverged")
    for entries in ([ENTRY], [ENTRY, second], [second]):
        assert told(tmp_path, server, entries, NAME) == []
    found = server.trials(name_on_server(NAME, tmp_path))
    assert [(one.user_attrs["identity"], one.state.name) for one in found] == [
        ("id1", "COMPLETE"),
        ("id2", "FAIL"),
    ]


def test_runs_that_begin_at_once_share_a_new_database(tmp_path, server):
    server.sql("DROP SCHEMA public CASCADE")
    server.sql("CREATE SCHEMA public")
    folders = [tmp_path / str(number) for number in range(4)]
    many = [replace(ENTRY, trial=number, identity=f"id{number}") for number in range(5)]
    with ThreadPoolExecutor(4) as together:
        assert list(together.map(lambda folder: told(folder, server, many), folders)) == [[]] * 4
    for folder in folders:
        found = server.trials(name_on_server("cars: price", folder))
        assert [one.user_attrs["trial"] for one in found] == list(range(5))


@pytest.mark.slow
def test_where_the_server_is_gone_for_a_while_nothing_is_lost(tmp_path, server):
    said = []
    study = study_of(tmp_path, "gone", address=server.address, higher_is_better=False, warn=said.append)
    study.tell([ENTRY])
    server.stop()
    study.tell([replace(ENTRY, identity="id2")])
    wait(study._pending)
    server.start()
    study.tell([replace(ENTRY, identity="id3")])
    study.close()
    found = server.trials(name_on_server("gone", tmp_path))
    assert [one.user_attrs["identity"] for one in found] == ["id1", "id2", "id3"]
    assert len(said) <= 1
    assert not is_told(said)


def test_a_connection_that_the_server_ends_is_made_again(tmp_path, server):
    said = []
    study = study_of(tmp_path, "ended", address=server.address, higher_is_better=False, warn=said.append)
    study.tell([ENTRY])
    wait(study._pending)
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'composable'")
    study.tell([replace(ENTRY, identity="id2")])
    study.close()
    assert len(server.trials(name_on_server("ended", tmp_path))) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("/postgres", "/nowhere"), "nowhere"),
        (("@127", ":wrong@127"), "password authentication failed"),
    ],
    ids=["no database", "wrong password"],
)
def test_a_server_that_refuses_is_told_before_any_training_without_the_password(
    tmp_path, server, change, why
):
    address = server.address.replace(*change)
    with pytest.raises(SetupError) as refused:
        study_of(tmp_path, NAME, address=address, higher_is_better=False, warn=print)
    assert refused.value.exit_code == 3
    assert why in refused.value.received
    assert "***" in refused.value.received
    assert not is_told([str(refused.value)])


def test_tables_of_another_version_are_not_written_into(tmp_path, server):
    told(tmp_path, server, [ENTRY])
    ((before,),) = server.sql("SELECT version_num FROM alembic_version")
    server.sql("UPDATE alembic_version SET version_num = 'v99.0.0'")
    with pytest.raises(SetupError, match="version of Optuna"):
        study_of(tmp_path, NAME, address=server.address, higher_is_better=False, warn=print)
    server.sql(f"UPDATE alembic_version SET version_num = '{before}'")


def test_a_fit_writes_its_study_there_and_its_password_nowhere(tmp_path, server, capsys):
    data = {"size": list(range(40)), "price": [2 * one + one % 3 for one in range(40)]}
    run = composable.fit(
        data, "price", max_trials=1, max_epochs=1, study=server.address, out=tmp_path / "run", progress=True
    )
    assert not (run.path / "study.db").exists()
    assert run.facts["options"]["study"] == masked(server.address)
    name = server.sql("SELECT study_name FROM studies WHERE study_name LIKE '%/run%'")[0][0]
    assert [one.user_attrs["name"] for one in server.trials(name)] == ["linear"]
    files = [path.read_text(errors="replace") for path in run.path.rglob("*") if path.is_file()]
    assert not is_told([*files, *capsys.readouterr()])
