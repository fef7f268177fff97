"""A run, opened from its folder: leaderboard, model, predictions, evaluation, export, report.

What only some of its verbs need is imported there: a prediction shouldn't wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError
from composable.core.workspace import read_json
from composable.data.read import LAYOUT, Layout, read_table
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.bundle import Bundle, load_bundle
from composable.problem.problem import Problem
from composable.search.failures import Cause, run_failures
from composable.search.leaderboard import leaderboard

if TYPE_CHECKING:
    import keras

    from composable.auto.disk import Removal
    from composable.report.page import Report
    from composable.report.why import Why


class Run:
    """What `fit` returns, and what any run folder can be opened as.

    Args:
        path: The run folder.

    Raises:
        ArtifactError: If the folder isn't a run.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.facts: dict[str, Any] = read_json(
            self.path / "run.json", remedy="name a folder that `composable fit` wrote"
        )
        self._bundles: dict[int, Bundle] = {}

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, status={self.facts.get('status')!r})"

    def _repr_html_(self) -> str:
        from composable.report.page import run_html

        return run_html(self.path)

    @cached_property
    def bundle(self) -> Bundle:
        """The deployed artifact.

        Raises:
            ArtifactError: If no model was saved yet, or a file of it was altered.
        """
        return load_bundle(self.path / "bundle")

    @property
    def model(self) -> keras.Model:
        """The deployed network, an ordinary `keras.Model`."""
        return self.bundle.model

    @property
    def problem(self) -> Problem:
        """The heads and metrics that were predicted and scored."""
        return self.bundle.card.problem

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know: choices with the flags that overrule them, and warnings."""
        return tuple(Notice(**notice) for notice in self.facts.get("notices", []))

    def leaderboard(self) -> pd.DataFrame:
        """Every candidate, the best first: score, cost, size, latency; see `candidates`."""
        return pd.DataFrame(self.candidates())

    def candidates(self) -> list[dict[str, Any]]:
        """The rows of the leaderboard as plain records, see `composable.search.leaderboard`."""
        return leaderboard(self.path)

    def failures(self) -> tuple[Cause, ...]:
        """Every trial that failed or was skipped, those of the same cause together, with their count."""
        return run_failures(self.path)

    def why(self) -> Why:
        """Why the winner won: what it beats, what its members bring, which choices mattered, what to do next.

        `explain` says why the model predicts what it predicts.
        """
        from composable.auto.explaining import explain_run

        return explain_run(self.path)

    def clean(self, *, keep: int = 3, dry_run: bool = False) -> tuple[Removal, ...]:
        """Remove what a run that has ended doesn't need: weights, checkpoints, copied rows; scores stay.

        Args:
            keep: How many of the best trials that aren't deployed keep their weights.
            dry_run: Whether nothing goes.

        Returns:
            What went, or would go.

        Raises:
            ConfigError: If the run hasn't ended.
        """
        from composable.auto.disk import clean

        return clean(self.path, keep=keep, show=lambda _: not dry_run)

    def layout(self, stated: Layout = LAYOUT) -> Layout:
        """How text files are read: as stated, else as it was stated for the fit."""
        fitted = self.facts.get("options", {})
        return Layout(**{name: value or fitted.get(name) for name, value in asdict(stated).items()})

    def answering(self, trial: int | None = None) -> Bundle:
        """The deployed bundle, or one of another trial, which is made anew from the trial's files.

        Raises:
            ConfigError: If the trial is neither a network nor an ensemble.
            ArtifactError: If there is no such trial.
        """
        if trial is None or trial == self.facts.get("deployed"):
            return self.bundle
        from composable.auto.deploying import trial_bundle

        if trial not in self._bundles:
            self._bundles[trial] = trial_bundle(self.path, trial, self.bundle)
        return self._bundles[trial]

    def predict(
        self, data: Any, *, ids: Sequence[str] = (), trial: int | None = None, layout: Layout = LAYOUT
    ) -> pd.DataFrame:
        """Raw rows in; `prediction` and, for classes, `p_<class>` out; of masks the shares of the classes.

        Args:
            data: A path, a DataFrame or an array, as for the fit; a text file is read as that of the fit was.
            ids: Columns of the data that are kept before the predictions.
            trial: The number of the trial that answers; by default the deployed one.
            layout: How a text file is read, where it differs from that of the fit.
        """
        return self.answering(trial).predict(data, ids=ids, layout=self.layout(layout))

    def masks(self, data: Any) -> list[np.ndarray]:
        """Images in; out of each its mask, as large as it is."""
        return self.bundle.masks(data)

    def evaluate(self, data: Any, *, trial: int | None = None, layout: Layout = LAYOUT) -> dict[str, float]:
        """Every metric that fits the problem, on labeled rows; where the data have a test part, on that.

        Args:
            data: As for `predict`.
            trial: The number of the trial that is scored; by default the deployed one.
            layout: How a text file is read, where it differs from that of the fit.

        Raises:
            DataError: If a target column isn't there, or holds an unknown class; names the row.
        """
        from composable.auto.mask_scores import mask_scores
        from composable.data.encoding import encode
        from composable.data.split import tested
        from composable.problem.scores import scores
        from composable.problem.targets import encode_targets, labeled

        bundle = self.answering(trial)
        card = bundle.card
        table = tested(read_table(data, **asdict(self.layout(layout))))
        table = labeled(table, card.schema, card.problem)
        frame = table.frame
        if bundle.masked:
            return mask_scores(bundle, table, card.problem.heads[0])
        observed = encode_targets(table, card.schema, card.problem)
        inputs = encode(
            frame, card.schema, card.encoding, sources=table.sources, origin=table.origin, strict=True
        )
        found = scores(card.problem, observed, bundle.outputs(inputs))
        return {name: value for name, value in found.items() if np.isfinite(value)} | {"rows": len(frame)}

    def feature_importance(self, data: Any = None) -> pd.DataFrame:
        """How much worse the score gets when each column is shuffled, most important column first.

        Args:
            data: Labeled rows to measure it on; by default what the fit measured on rows held out.

        Returns:
            `column`, `importance` in the unit of the metric, and `spread` over repeated shuffles; no line
            for a column that the fit had no time for.
        """
        if data is None:
            remedy = "wait until the fit has ended, or give labeled rows to measure it on"
            found = read_json(self.path / "diagnostics.json", remedy=remedy).get("importance", [])
        else:
            from composable.explain.importance import bundle_importance

            found = bundle_importance(self.bundle, self._read(data), seed=0)
        columns = {"column": "column", "mean": "importance", "spread": "spread"}
        return pd.DataFrame(found, columns=list(columns)).rename(columns=columns)

    def explain(self, data: Any, background: Any = None) -> pd.DataFrame:
        """What each column adds to the prediction for each row, see `composable.explain.contributions`.

        Args:
            data: Raw rows, as for `predict`; a few, for each costs thousands of predictions.
            background: Raw rows that they are compared with; by default some of the training rows.
        """
        from composable.explain.contributions import background_inputs, contributions, read_background

        if background is None:
            known = read_background(self.path)
            if known is None:
                raise ConfigError(
                    "Predictions are explained by comparing them with those for background rows.",
                    received=f"none kept in {self.path}",
                    remedy="give some rows like those of the training data as background",
                )
        else:
            known = background_inputs(self.bundle, self._read(background))
        found = contributions(self.bundle, self._read(data), known)
        if isinstance(data, pd.DataFrame):
            found["row"] = data.index.take(np.asarray(found["row"], int))
        return found

    def _read(self, data: Any) -> Table:
        """Rows, read as the fit read its own."""
        return read_table(data, **asdict(self.layout()))

    def export(self, format: Literal["keras", "onnx"], folder: str | Path) -> Path:
        """The artifact as one folder for use elsewhere: `keras` or `onnx`; checked against the bundle."""
        from composable.deploy.export import export

        return export(self.bundle, format, Path(folder))

    def source(self) -> str:
        """The deployed model as a Python program of plain Keras, which needs no Composable."""
        from composable.deploy.source import bundle_source

        return bundle_source(self.bundle)

    def report(self) -> Report:
        """Write `report.html` anew; the result names its `path`, and a notebook shows it."""
        from composable.report.page import Report, write_report

        return Report(write_report(self.path))
