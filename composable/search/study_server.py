"""The study of a run in a PostgreSQL database instead of a file: its address, and Optuna's storage there.

Several runs may write into one database, each a study of its own that this run alone writes. The driver is
psycopg, which also takes the password from the environment (PGPASSWORD) or from ~/.pgpass.
"""

from __future__ import annotations

import hashlib
import platform
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from composable.core.errors import ConfigError, SetupError
from composable.core.packages import optional

_SCHEMES = ("postgresql", "postgres")
_DRIVER = "postgresql+psycopg"
_SECONDS_TO_CONNECT = 10
_LOCK = 0x636F6D70  # of PostgreSQL's advisory locks, any number that others hardly take
_PASSWORDS = (  # between the name of the user and the last @, and among the options
    (re.compile(r"(://[^:/@]*):.*@"), r"\1:***@"),
    (re.compile(r"([?&]password=)[^&]*"), r"\1***"),
)
_NAME, _FOLDER = 200, 200  # letters; Optuna's column holds 512


def check_address(address: str) -> None:
    """Refuse what is no address of a PostgreSQL database.

    Raises:
        ConfigError: Naming it, its password masked.
    """
    try:
        parts = urlsplit(address)
        whole = parts.scheme in _SCHEMES and parts.path.strip("/") and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, a bracket that isn't closed
        whole = False
    if not whole:
        raise ConfigError(
            "The database of a study has an address such as postgresql://user@host:5432/database.",
            received=masked(address),
            remedy="correct it; without one the study is written into the run folder",
        )


def masked(address: str) -> str:
    """The address as it may be shown: without its password."""
    for pattern, shown in _PASSWORDS:
        address = pattern.sub(shown, address)
    return address


def name_on_server(name: str, folder: Path) -> str:
    """The name of a run's study among those of other runs: the machine and the folder belong to it.

    Args:
        name: Of the study in a file of its own.
        folder: Of the run.
    """
    place = f"{platform.node()}:{folder.resolve()}"
    digest = hashlib.sha256(f"{name} {place}".encode(errors="backslashreplace")).hexdigest()[:8]
    text = f"{name[:_NAME]} in {place[-_FOLDER:]} ({digest})"
    return text.encode(errors="backslashreplace").decode().replace("\x00", "")


def opened_on_server(address: str, name: str, *, higher_is_better: bool) -> tuple[Any, Any]:
    """Optuna's storage in a database and the study in it, both created where there are none.

    Sessions that begin at once create the tables one after another. A connection lasts for one transaction:
    none is held while networks train, none is missed when the server starts anew.

    Raises:
        SetupError: If psycopg isn't installed, if the server doesn't answer or refuses, or if another version
            of Optuna wrote the tables.
    """
    optional("psycopg", extra="postgresql")
    import optuna
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    url = f"{_DRIVER}:{address.partition(':')[2]}"
    options = {"connect_timeout": _SECONDS_TO_CONNECT, "application_name": "composable"}
    try:
        engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=options)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            storage = optuna.storages.RDBStorage(
                url, engine_kwargs={"poolclass": NullPool, "connect_args": options}
            )
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize" if higher_is_better else "minimize",
                sampler=optuna.samplers.RandomSampler(),
                load_if_exists=True,
            )
    except (SQLAlchemyError, RuntimeError, optuna.exceptions.StorageInternalError) as refused:
        reason = " ".join(str(refused).split("[SQL:")[0].split())[:300]
        raise SetupError(
            "The database of a study must answer, and hold the tables of this version of Optuna or none.",
            received=f"{masked(address)}: {reason.replace(url, masked(address))}",
            remedy="start it, correct --study, or leave it out: the study is then in the run folder",
        ) from None  # what came before may hold the password
    return storage, study
