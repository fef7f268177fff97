"""`composable doctor`: versions, the backend and why, the machine, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from composable.cli.failures import ENVIRONMENT
from composable.cli.streams import print_json
from composable.cli.switches import backend_option, debug_switch, json_switch

if TYPE_CHECKING:  # examining imports everything
    from composable.cli.environment import Environment


@click.command()
@backend_option
@json_switch
@debug_switch
def command(backend: str | None, *, as_json: bool) -> int:
    """Show versions, the backend, and what is missing. Ends with 3 if something needed is."""
    from dataclasses import asdict

    from composable import __version__
    from composable.cli.environment import examine

    found = examine(backend)
    if as_json:
        print_json(asdict(found) | {"composable": __version__, "healthy": found.healthy})
    else:
        _print(found)
    return 0 if found.healthy else ENVIRONMENT


def _print(found: Environment) -> None:
    from composable import __version__
    from composable.cli.tables import print_pairs
    from composable.core.wording import number

    print_pairs(
        "Machine",
        {
            "composable": __version__,
            "python": found.python,
            "system": found.system,
            "cores": str(found.cores),
            "memory": number(found.memory_gb, "GB"),
            "backend": f"{found.backend or 'none'} ({found.backend_reason})",
        },
    )
    print_pairs(
        "Needed",
        {p.name: f"broken: {p.fault}; {p.remedy}" if p.fault else p.version for p in found.packages},
    )
    print_pairs(
        "Optional",
        {e.name: f"{'there' if e.present else f'not there: {e.remedy}'} ({e.purpose})" for e in found.extras},
    )
    click.echo("All that is needed is there." if found.healthy else "Something needed is missing, see above.")
