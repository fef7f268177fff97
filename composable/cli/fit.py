"""`composable fit DATA --target COLUMN`: train networks on a table and keep the best."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from composable.auto.options import Augmentation, Stage
from composable.cli.failures import INTERRUPTED
from composable.cli.names import COLUMN
from composable.cli.streams import print_json, say
from composable.cli.switches import backend_option, debug_switch, json_switch
from composable.cli.text_file_options import text_file_options, words_of

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
    from composable.auto.run import Run

ENDINGS = {
    "interrupted": "Interrupted; the best model so far is saved, and the same command continues.",
    "already complete": "Nothing to do: this run is complete. A larger budget continues it.",
}
STAGES, AUGMENTATIONS = get_args(Stage), get_args(Augmentation)
SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@click.argument("data", type=click.Path())
@click.option(
    "--target", type=COLUMN, multiple=True, metavar="COLUMN", help="What to predict; repeat it for several."
)
@click.option("--problem", type=words_of("problem"), help="Overrule the kind that is inferred.")
@click.option("--metric", type=words_of("metric"), help="The score that selects the model.")
@click.option("--time-limit", type=SECONDS, metavar="SECONDS", help="For everything, from reading to report.")
@click.option("--max-trials", type=click.IntRange(min=1), metavar="N", help="Bound the work reproducibly.")
@click.option("--max-epochs", type=click.IntRange(min=1), metavar="N", help="Of each network, at most.")
@click.option(
    "--max-parameters",
    type=click.IntRange(min=1),
    metavar="N",
    help="Weights of the deployed model, at most.",
)
@click.option(
    "--split", type=COLUMN, metavar="HOW", help="random, stratified, group:COL, time:COL or column:COL."
)
@click.option(
    "--duplicates", type=words_of("duplicates"), help="Whether rows of equal features stay in one part."
)
@click.option(
    "--test", type=click.Path(), metavar="FILE", help="Labeled rows of your own, scored at the end."
)
@click.option("--schema", type=click.Path(), metavar="FILE", help="A schema that `inspect` wrote, edited.")
@click.option(
    "--drop",
    type=COLUMN,
    multiple=True,
    metavar="COLUMN",
    help="A column to leave out; repeat it for several.",
)
@click.option(
    "--design", metavar="DESIGN", help="What to train: a name, a call, a JSON file, module:function."
)
@click.option(
    "--stage",
    "stages",
    type=click.Choice(STAGES),
    multiple=True,
    help="What networks go through before their fit; repeat it for several.",
)
@click.option(
    "--from",
    "start",
    type=click.Path(),
    metavar="RUN",
    help="A run, bundle or .keras file of your own: its network is tried first, under the tasks at hand.",
)
@click.option(
    "--tap", metavar="NAME", help="Up to where: encoding, learner.1 or the like, a layer of a file."
)
@click.option("--freeze", is_flag=True, default=None, help="Train only what follows the tap.")
@click.option(
    "--unfreeze",
    multiple=True,
    metavar="GROUP",
    help="A part (learner.2), or how names of layers begin, trained all the same; repeat it for several.",
)
@click.option("--image-size", type=int, metavar="PIXELS", help="The longer side that images are given.")
@click.option("--keep-aspect", is_flag=True, default=None, help="Pad images instead of stretching them.")
@click.option(
    "--augment",
    type=click.Choice(AUGMENTATIONS),
    multiple=True,
    help="What is done to images while learning; repeat it for several.",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="One seed for everything random.")
@text_file_options
@click.option("--drop-missing-target", is_flag=True, default=None, help="Leave out rows without a target.")
@click.option("--allow-leaks", is_flag=True, default=None, help="Train although a column tells the target.")
@click.option(
    "--allow-other-versions",
    is_flag=True,
    default=None,
    help="Go on with a run that other versions of the libraries began.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Options as YAML or JSON.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder; else below runs/."
)
@backend_option
@json_switch
@debug_switch
def command(
    data: str, config: Path | None, out: Path | None, backend: str | None, *, as_json: bool, **flags: Any
) -> int:
    """Train networks on the table DATA and keep the best.

    The run folder keeps the model, the scores and the report. The same command again continues a run
    that was interrupted. A flag wins over the same option in the --config file.
    """
    started = time.monotonic()  # the time it takes to import Keras counts, too
    from composable.cli.config_file import fit_options
    from composable.core.backend import choose_backend

    options = fit_options(
        flags, config
    )  # `flags` are the options above that `FitOptions` holds, by its names
    choose_backend(backend)

    from composable.auto.fit import fit
    from composable.auto.run import Run
    from composable.cli.progress import show_progress

    with show_progress(options.time_limit, started) as progress:
        try:
            run = fit(data, options, out=out, progress=progress, started=started)
        except KeyboardInterrupt:  # raised after everything was saved, or before there was anything
            if not progress.moment.report:
                raise
            run = Run(Path(progress.moment.report).parent)
    _print_outcome(run, progress.moment.status, as_json=as_json)
    return INTERRUPTED if progress.moment.status == "interrupted" else 0


def _print_outcome(run: Run, status: str, *, as_json: bool) -> None:
    from composable.cli.tables import print_leaderboard

    rows = run.leaderboard()
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
