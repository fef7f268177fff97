"""`composable fit DATA --target COLUMN`: train networks on a table and keep the best.

Options come from flags or from `--config FILE` in YAML or JSON, which is checked as strictly as flags.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.auto.option import fields_of
from composable.auto.options import FitOptions, options_from
from composable.cli.flags import backend_option, debug_switch, json_switch, option_flags
from composable.cli.output import INTERRUPTED, print_json
from composable.core.errors import ConfigError
from composable.core.records import json_schema
from composable.core.terminal import say

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
    from composable.auto.run import Run

ENDINGS = {
    "interrupted": "Interrupted; the best model so far is saved, and the same command continues.",
    "already complete": "Nothing to do: this run is complete. A larger budget continues it.",
}
MAXIMUM_BYTES = 100_000
MAXIMUM_DEPTH = 5
FLAT = "write one option per line, such as `time-limit: 60`"


@click.command()
@click.argument("data", type=click.Path(), required=False)
@option_flags()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Options as YAML or JSON.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder; else below runs/."
)
@click.option("--print-config", is_flag=True, help="Print the options as YAML and train nothing.")
@click.option("--print-schema", is_flag=True, help="Print the JSON schema of --config and train nothing.")
@backend_option
@json_switch
@debug_switch
def command(
    data: str | None,
    config: Path | None,
    out: Path | None,
    backend: str | None,
    *,
    print_config: bool,
    print_schema: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Train networks on the table DATA and keep the best.

    The run folder keeps the model, the scores and the report. The same command again continues a run
    that was interrupted. A flag wins over the same option in the --config file.
    """
    started = time.monotonic()  # the time it takes to import Keras counts, too
    from composable.core.backend import choose_backend

    if print_schema:
        click.echo(schema_text())
        return 0
    options = fit_options(flags, config)  # `flags` holds what was typed, by the names of `FitOptions`
    if print_config:
        click.echo(config_text(options))
        return 0
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    choose_backend(backend)

    from composable.auto.fit import fit
    from composable.auto.progress import show_progress
    from composable.auto.run import Run

    if threading.current_thread() is threading.main_thread():  # as Ctrl-C: the best so far is saved first
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with show_progress(options.time_limit, started) as progress:
        try:
            run = fit(data, options, out=out, progress=progress, started=started)
        except KeyboardInterrupt:  # raised after everything was saved, or before there was anything
            if not progress.state.report:
                raise
            run = Run(Path(progress.state.report).parent)
    _print_outcome(run, progress.state.status, as_json=as_json)
    return INTERRUPTED if progress.state.status == "interrupted" else 0


def _print_outcome(run: Run, status: str, *, as_json: bool) -> None:
    from composable.cli.output import print_leaderboard

    rows = run.candidates()
    deployed = next((row["model"] for row in rows if row["deployed"]), None)
    report = run.path / "report.html"
    if status in ENDINGS:
        say(ENDINGS[status])
    if as_json:
        answer = {"run": str(run.path), "status": status, "deployed": deployed, "report": str(report)}
        print_json(answer | {"leaderboard": rows})
        return
    print_leaderboard(rows)
    click.echo(f"Deployed: {deployed} in {run.path / 'bundle'}" if deployed else "No model was deployed.")
    click.echo(f"Report:   {report}")


def fit_options(flags: Mapping[str, Any], config: Path | None) -> FitOptions:
    """The options of a fit; a flag wins over the file, whose absence leaves the defaults.

    Args:
        flags: What was typed, by the names of `FitOptions`; None or `()` where nothing was.
        config: The file, if there is one.

    Raises:
        ConfigError: If the file can't be used; names the path in it and the nearest known option.
    """
    typed = {name: value for name, value in flags.items() if value not in (None, ())}
    options = (_read(config) if config else {}) | typed
    return options_from(options, origin=str(config or "the command line"))


def config_text(options: FitOptions) -> str:
    """The options as YAML that `--config` reads, each below what it does."""
    lines = ["# For `composable fit DATA --config FILE`; null stands for the default."]
    shown = options.shown
    for field in fields_of(FitOptions):
        value = json.dumps(shown[field.name], ensure_ascii=False)  # JSON is YAML, too
        lines += [f"# {field.option.help}", f"{field.name.replace('_', '-')}: {value}"]
    return "\n".join(lines)


def schema_text() -> str:
    """The JSON schema of a configuration file; an editor that knows it completes and checks such files."""
    schema = json_schema(FitOptions)
    properties = {name.replace("_", "-"): value for name, value in schema["properties"].items()}
    about = {"title": "composable fit --config", "description": "Options of a fit.", "properties": properties}
    return json.dumps(schema | about, indent=1)


def _read(path: Path) -> dict[str, Any]:
    """The options in a file by the names of `FitOptions`, however they are spelled: `from` is `start`."""
    parse = _json_pairs if path.suffix.lower() == ".json" else _yaml_pairs
    try:
        pairs = parse(_text(path), str(path))
    except RecursionError as deep:
        raise ConfigError(
            "A configuration is a flat list of options.", received=f"{path}: deep nesting", remedy=FLAT
        ) from deep
    known = {spelling: field.name for field in fields_of(FitOptions) for spelling in field.spellings}
    names = [known.get(str(name), str(name)) for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            "An option may be set once.",
            received=f"{path}: {', '.join(twice)} twice",
            remedy="remove one of them",
        )
    # An object in JSON was read as a tuple of pairs.
    values = (dict(value) if isinstance(value, tuple) else value for _, value in pairs)
    return dict(zip(names, values, strict=True))


def _text(path: Path) -> str:
    rule = f"The configuration must be a readable file in UTF-8 of at most {MAXIMUM_BYTES:,} bytes."
    try:
        with path.open("rb") as stream:
            content = stream.read(MAXIMUM_BYTES + 1)
        if len(content) > MAXIMUM_BYTES:
            raise ConfigError(rule, received=f"{path} is larger", remedy="check --config")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(rule, received=f"{path}: {unreadable}", remedy="check --config") from unreadable


def _json_pairs(text: str, origin: str) -> list[tuple[Any, Any]]:
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)  # lists stay lists, so a tuple was an object
    except ValueError as broken:
        raise ConfigError(f"{origin} must be JSON.", received=str(broken)) from broken
    if not isinstance(pairs, tuple):
        raise ConfigError(f"{origin} must hold a JSON object.", received=type(pairs).__name__)
    return list(pairs)


def _yaml_pairs(text: str, origin: str) -> list[tuple[Any, Any]]:
    """Read YAML with PyYAML's safe loader, which builds plain values alone."""
    import yaml

    try:
        _refuse_structure(text, origin)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{origin} must hold options.", received="something else", remedy=FLAT)
        return [
            (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
            for key, value in node.value
        ]
    except yaml.YAMLError as broken:
        raise ConfigError(f"{origin} must be plain YAML.", received=" ".join(str(broken).split())) from broken


def _refuse_structure(text: str, origin: str) -> None:
    """Refuse aliases and deep nesting while reading: a flat list needs neither and both can explode."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        found = (
            "an alias"
            if isinstance(event, yaml.AliasEvent)
            else "deep nesting"
            if depth > MAXIMUM_DEPTH
            else ""
        )
        if found:
            raise ConfigError(
                "A configuration is a flat list of options.",
                received=f"{origin}, line {event.start_mark.line + 1}: {found}",
                remedy=FLAT,
            )
