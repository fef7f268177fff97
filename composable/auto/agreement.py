"""Which options of a fit mean nothing beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composable.core.errors import ConfigError

if TYPE_CHECKING:
    from composable.auto.options import FitOptions


def check_agreement(options: FitOptions) -> None:
    """Refuse options that mean nothing beside others.

    Raises:
        ConfigError: If there are such.
    """
    if options.start is None and (options.freeze or options.tap is not None):
        raise ConfigError(
            "Only a network that is trained already can be tapped or frozen.",
            received="tap or freeze without a start",
            remedy="--from RUN names one",
        )
    if options.tolerance is not None and options.tolerance >= 1:
        raise ConfigError(
            "A tolerance is a share of the gain, below 1.",
            received=f"tolerance {options.tolerance:g}",
            remedy="0.02 gives up 2 %",
        )
    if options.tolerance is not None and not options.single:
        raise ConfigError(
            "A smaller candidate is chosen among single ones.",
            received=f"tolerance {options.tolerance:g} without single",
            remedy="add --single, or leave out --tolerance",
        )
    if options.one_network and options.no_refit:
        raise ConfigError(
            "One network of all rows has to be fitted again.",
            received="one_network and no_refit",
            remedy="leave one of them out",
        )
    if options.interpretable and (options.design is not None or options.start is not None):
        raise ConfigError(
            "A design of your own is read as you like: only the usual candidates are known to be linear.",
            received=f"interpretable beside {'design' if options.design else 'from'}",
            remedy="leave one of them out",
        )
    if options.unfreeze and not options.freeze:
        raise ConfigError(
            "What isn't frozen can't be unfrozen.",
            received="unfreeze",
            remedy="--freeze freezes the rest",
        )
    if options.duplicates is not None and options.split.startswith(("group:", "time:")):
        raise ConfigError(
            "Where groups or times decide, rows of equal features lie where these put them.",
            received=f"duplicates {options.duplicates}, split {options.split}",
            remedy="leave out --duplicates, or choose another --split",
        )
