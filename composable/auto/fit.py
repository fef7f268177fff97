"""`fit`: from a table on disk to a model in use, within one deadline, the best so far always saved."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from composable.auto.deploying import deploy, networks_of
from composable.auto.diagnostics import diagnose
from composable.auto.disk import needs_room
from composable.auto.explaining import write_explanation
from composable.auto.options import FitOptions
from composable.auto.prepare import Prepared, Understood, completed, prepare, read, understand_table
from composable.auto.pretrained_source import read_pretrained_source
from composable.auto.record import (
    GUIDING,
    Recorder,
    identity,
    now,
    numbered,
    read_run,
    refuse_difference,
    run_folder,
    text_of,
    versions,
)
from composable.auto.run import Run
from composable.auto.time_reserve import TimeReserve
from composable.auto.trainings import Trainings
from composable.auto.trial_book import TrialBook, count_deaths
from composable.auto.trials import Search
from composable.auto.user_inputs import (
    UserInputs,
    check_design,
    read_design,
    read_stage_settings,
    stage_parts,
)
from composable.core.budget import Deadline
from composable.core.errors import ComposableError
from composable.core.machine import compile_cache, machine, prune
from composable.core.records import to_json
from composable.core.workspace import locked, write_atomically, write_json
from composable.data.profile import profile
from composable.data.schema import SCHEMA_VERSION, Notice
from composable.modality import modality_of
from composable.report.page import write_report
from composable.search.guidance import Guidance, read_guidance
from composable.search.sampling import check_sampler
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from composable.training.overrides import read_overrides

BRIEF, THOROUGH = 2.0, 15.0  # seconds for the permutation importance at most
EXPLAINING, EXPLAINING_SHARE = 6.0, 0.08  # seconds at most, of the limit: to see which words or pixels decide


def fit(
    data: Any,
    options: FitOptions,
    *,
    out: Path | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
    started: float | None = None,
    sample_weight: np.ndarray | None = None,
    test: Any = None,
) -> Run:
    """Turn a table and a question into a trained, deployable model and an honest report.

    Args:
        data: A path (CSV, TSV, Parquet, a folder of images or an `.npz` file of them), a pandas DataFrame, a
            NumPy array or a mapping of arrays.
        options: The options of the fit; see `FitOptions`.
        out: The run folder; by default `runs/` and the data's name.
        progress: Is called with each event, see docs/run-folder.md.
        started: The reading of `time.monotonic()` from which the time limit counts; now by default.
        sample_weight: A weight per row of `data`, not negative; scores count all rows that have any alike.
        test: Labeled rows of the user's own that no file holds, instead of `options.test`.

    Returns:
        The run; its bundle is deployed, its report written.

    Raises:
        DataError, ConfigError: If data and options can't be used as they are.
        NothingSucceeded: If no network could be trained.
        SetupError: If the disk of the run folder is full, or its study can't be written.
        KeyboardInterrupt: After the best model so far and the report were saved.
    """
    limit = math.inf if options.time_limit is None else float(options.time_limit)
    deadline = Deadline(limit) if started is None else Deadline(limit, started=started)
    if (compiled := compile_cache()) is not None:
        prune(compiled)
    waiting: list[Notice] = []
    training, guidance = read_overrides(options.training), _guidance(options)
    read_stage_settings(options.stage_settings, options.stages)  # refused before the data are read
    table = read(data, options)
    options = completed(options, table)
    understood = understand_table(table, options, waiting.append, sample_weight, test)
    design = read_design(options.design, understood.schema)
    if (origin := read_pretrained_source(options.start, options.tap)) is not None:
        waiting.append(Notice(f"A network is begun from {origin.description}."))
    wanted = identity(
        options,
        _fingerprint(understood, sample_weight),
        understood.own_test.fingerprint if understood.own_test else None,
        design.architecture if design else None,
        origin.sha256 if origin else None,
    )
    folder = run_folder(out, understood.table.origin)
    if out is None:
        folder = numbered(folder, wanted, other_versions=options.allow_other_versions)
    read_run(folder)  # refuses the folder of something else, before anything is written there
    folder.mkdir(parents=True, exist_ok=True)
    with needs_room(folder), locked(folder):
        earlier = read_run(folder)
        if earlier is not None:
            others = refuse_difference(folder, earlier, wanted, other_versions=options.allow_other_versions)
            if _is_done(earlier, options):
                run = Run(folder)
                if progress:
                    progress({"event": "end", "status": "already complete", "seconds": 0.0})
                return run
            waiting += [others] if others else []
            if earlier.get("status") == "running" and earlier.get("options", {}).get("workers") == 1:
                count_deaths(folder)
        recorder = Recorder(folder, progress or _silent, _carried_on(earlier))
        return _go(
            understood,
            options,
            UserInputs(design, origin, training, guidance),
            wanted,
            recorder,
            deadline,
            waiting,
        )


def _go(
    understood: Understood,
    options: FitOptions,
    user_inputs: UserInputs,
    wanted: dict[str, Any],
    recorder: Recorder,
    deadline: Deadline,
    waiting: list[Notice],
) -> Run:
    table, problem, folder = understood.table, understood.problem, recorder.folder
    recorder.write(  # before anything else: by this file the folder is known as a run's
        status="running",
        identity=wanted,
        options=options.shown,
        guided=_guided(options),
        versions=versions(),
        machine=machine(),
        data={
            "origin": table.origin,
            "fingerprint": table.fingerprint,
            "rows": len(table.frame),
            "columns": len(table.frame.columns),
            "test_origin": understood.own_test.origin if understood.own_test else None,
        },
        problem={"heads": [asdict(h) for h in problem.heads], "metric": problem.metric, "notices": []},
    )
    recorder.happened("start", origin=table.origin, target=list(options.target))
    recorder.happened("read", rows=len(table.frame), columns=len(table.frame.columns))
    for notice in waiting:
        recorder.notice(notice)
    write_atomically(
        folder / "schema.json", to_json(understood.schema, format="schema", version=SCHEMA_VERSION)
    )
    recorder.happened("problem", metric=problem.metric, heads=[asdict(head) for head in problem.heads])
    try:
        prepared = prepare(understood, options, recorder.notice, user_inputs.pretrained)
        stage_parts(options.stages, options.stage_settings, modality_of(prepared.material.inputs, problem))
        if user_inputs.design is not None:
            check_design(user_inputs.design, prepared)
    except (ComposableError, KeyboardInterrupt) as stopped:
        status = "interrupted" if isinstance(stopped, KeyboardInterrupt) else "failed"
        recorder.write(status=status, seconds=round(deadline.spent, 2))
        raise
    recorder.write(split=_split_facts(prepared))
    write_json(folder / "profile.json", profile(table, understood.schema))

    explained = modality_of(prepared.material.inputs, problem).worst_errors
    explaining = min(EXPLAINING, EXPLAINING_SHARE * deadline.seconds) if explained else 0.0
    reserve, reported = TimeReserve(explaining=explaining), False

    def deploy_trial(trial: Trial) -> None:
        nonlocal reported
        with reserve.bundling(networks_of(trial)):
            deploy(trial, prepared, book.scorer, folder, options.limits)
        recorder.write(deployed=trial.number, seconds=round(deadline.spent, 2))
        if not reported:  # an early report: something to look at, and its time is known from then on
            reported = True
            with reserve.reporting():
                write_report(folder)

    targets, own, weights = prepared.material.targets, prepared.own_targets, prepared.material.weights
    book = TrialBook(recorder, Scorer(problem, prepared.split, targets, own, weights=weights))
    search = Search(
        Trainings(prepared, book, deadline, reserve, options),
        deploy_trial,
        user_inputs,
        _earlier_score(folder, recorder.facts.get("deployed"), problem.metric),
    )
    interrupted = False
    try:
        search.run()
    except KeyboardInterrupt:
        interrupted = True
        recorder.notice(Notice("Interrupted: the same command goes on from here.", "warning"))
    except ComposableError:
        recorder.write(status="failed", seconds=round(deadline.spent, 2))
        raise
    return _end(search, recorder, deadline, interrupted=interrupted)


def _end(search: Search, recorder: Recorder, deadline: Deadline, *, interrupted: bool) -> Run:
    status = "interrupted" if interrupted else "complete"
    if search.deployed is not None:
        search.test()
        if (expected := search.expected()) is not None:
            recorder.write(expected=asdict(expected))
        write_explanation(search)
        free = deadline.remaining - search.trainings.reserve.seconds(0) + search.trainings.reserve.explaining
        allowed = BRIEF if interrupted else min(THOROUGH, free)
        diagnose(search, Deadline(max(0.0, allowed)))
    recorder.write(status=status, seconds=round(deadline.spent, 2))
    path = write_report(recorder.folder)
    recorder.happened("report", path=str(path))
    seconds = round(deadline.spent, 2)
    recorder.write(seconds=seconds)
    recorder.happened("end", status=status, seconds=seconds)
    if interrupted:
        raise KeyboardInterrupt
    return Run(recorder.folder)


def _split_facts(prepared: Prepared) -> dict[str, Any]:
    split = prepared.split
    scored = split.folds[: split.scored_folds]
    unseen = _distinct([fold.test for fold in scored])
    named = unseen if split.named_test else 0
    return {
        "kind": split.kind,
        "folds": split.scored_folds,
        "text": split.text,
        "rows": {
            "train": len(scored[0].train),
            "validation": _distinct([r.held_out for r in scored]),
            "test": len(prepared.own_targets[0]) if prepared.own_targets else named,
            "unseen": unseen - named,
        },
    }


def _distinct(rows: list[np.ndarray]) -> int:
    return len(np.unique(np.concatenate(rows)))


def _is_done(earlier: dict[str, Any], options: FitOptions) -> bool:
    """Whether an earlier run is complete, guided alike, and no larger budget is offered now."""
    before = earlier.get("options", {})
    if earlier.get("status") != "complete" or earlier.get("guided", _guided(FitOptions())) != _guided(
        options
    ):
        return False
    budgets = ("time_limit", "max_trials", "max_disk", "max_memory")
    return all(
        before.get(name) is None
        or ((offered := getattr(options, name)) is not None and offered <= before[name])
        for name in budgets
    )


def _guidance(options: FitOptions) -> Guidance:
    """What a person decides about the search; refused here where it can't be, before the data are read."""
    check_sampler(options.sampler)
    return read_guidance(
        pins=options.pins,
        ranges=options.ranges,
        excluded=options.exclude,
        tries=options.tries,
        space=options.space,
    )


def _guided(options: FitOptions) -> dict[str, Any]:
    """The options that guide the search as plain JSON, files by their content."""
    tries = [text_of(path) for path in options.tries]
    plain = {name: getattr(options, name) for name in GUIDING} | {
        "tries": tries,
        "space": text_of(options.space),
    }
    return json.loads(json.dumps(plain))


def _silent(_event: dict[str, Any]) -> None:
    """Ignore an event: the default where nobody wants to see the progress."""


def _carried_on(earlier: dict[str, Any] | None) -> dict[str, Any]:
    """What stays true of an earlier run while it goes on: its beginning, its deployed model, its versions."""
    before = earlier or {}
    versions_before = before.get("earlier_versions", [])
    if before.get("versions") not in (None, versions()):
        versions_before = [*versions_before, before["versions"]]
    return {
        "created": before.get("created", now()),
        "deployed": before.get("deployed"),
        "earlier_versions": versions_before,
    }


def _earlier_score(folder: Path, deployed: int | None, metric: str) -> float:
    """The validation score of the model that an earlier session deployed, NaN where there is none."""
    try:
        trial = json.loads((folder / "trials" / str(deployed) / "trial.json").read_text(encoding="utf-8"))
        return float(trial["validation"][metric])
    except (OSError, ValueError, KeyError, TypeError):
        return math.nan


def _fingerprint(understood: Understood, sample_weight: np.ndarray | None) -> str:
    fingerprint = understood.table.fingerprint
    if sample_weight is None:
        return fingerprint
    return hashlib.sha256(fingerprint.encode() + np.asarray(sample_weight, "float64").tobytes()).hexdigest()
