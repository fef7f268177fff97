"""What a verb writes never replaces what the user gave it."""

from __future__ import annotations

from pathlib import Path

from composable.core.errors import ConfigError


def refuse_input(out: Path, data: str, *, option: str = "--out") -> None:
    """Refuse an output file that is the input, under whatever name.

    Raises:
        ConfigError: If it is.
    """
    if out.exists() and Path(data).exists() and out.samefile(data):
        raise ConfigError(
            "An output must not replace the data it is made from.",
            received=f"{option} {out} is the input",
            remedy=f"give {option} another name",
        )
