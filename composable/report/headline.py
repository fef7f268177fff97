"""What the model does and how good it is, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composable.report import uncertainty
from composable.report.facts import Facts, HeadFacts, RunFacts, Trial
from composable.report.reading import number, objects, sequence, shortened, text
from composable.report.words import IN_UNITS, TASKS, counted, duration, figure, metric_name, percent

Interval = tuple[float, float]


@dataclass(frozen=True)
class Tile:
    """One number to remember. `colour` names its style: model, baseline or reference."""

    label: str
    value: str
    measure: str
    note: str
    colour: str


@dataclass(frozen=True)
class Headline:
    """The first things a reader sees."""

    title: str
    facts: tuple[str, ...]
    question: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    banner: str
    alarm: str


@dataclass(frozen=True)
class Standing:
    """The deployed trial and its rivals, all measured on the same rows."""

    part: str
    rows: int | None
    model: float
    baseline: float | None
    reference: float | None
    spread: float
    interval: Interval | None


def headline(facts: Facts) -> Headline:
    """The headline of a run, whatever state it is in."""
    run, deployed, stands = facts.run, facts.deployed, standing(facts)
    sentences: tuple[str, ...] = ("There is no deployed model yet, so there is nothing to say about how good it is.",)
    tiles: tuple[Tile, ...] = ()
    alarm = ""
    if deployed is not None and stands is not None:
        sentences = tuple(_sentences(run, deployed, stands))
        tiles = _tiles(run, deployed, stands)
        if stands.reference is not None and not _gap(stands.model, stands.reference, deployed) > 0:
            alarm = "This model is no better than knowing nothing. Don't deploy it."
    elif deployed is not None:
        sentences = ("A model is deployed, but its score isn't known.",)
    return Headline(_title(run), _circumstances(run), question(run), sentences, tiles, _banner(run), alarm)


def standing(facts: Facts) -> Standing | None:
    """The deployed model's score beside its rivals', on test rows where all of them were tested."""
    model = facts.deployed
    if model is None or model.score is None:
        return None
    baseline, reference = facts.best("baseline"), facts.best("reference")
    everyone = [trial for trial in (model, baseline, reference) if trial is not None]
    tested = all(trial.test_score is not None for trial in everyone)
    part = "test" if tested else "validation"

    def measured(trial: Trial | None) -> float | None:
        return None if trial is None else trial.test_score if tested else trial.score

    score = measured(model)
    rows = facts.run.split_rows.get(part)
    diagnosed = number(facts.diagnostics.get("rows")) if facts.diagnostics.get("part") == part else None
    count = int(rows) if rows is not None else int(diagnosed) if diagnosed is not None else None
    spread = max((trial.spread or 0.0 for trial in everyone if trial is not reference), default=0.0)
    known = score if score is not None else model.score
    return Standing(
        part, count, known, measured(baseline), measured(reference), spread, _interval(facts, part, known, model.metric)
    )


def question(run: RunFacts) -> str:
    """What the model answers, in one sentence."""
    if not run.heads:
        return "The problem isn't known."
    others = (run.columns or 0) - _targets(run)
    columns = f" from {counted(others, 'other column')}" if others > 0 else ""
    if len(run.heads) > 1:
        named = ", ".join(f"{shortened(head.name, 40)} ({_kind(head)})" for head in run.heads[:6])
        more = f" and {len(run.heads) - 6} more" if len(run.heads) > 6 else ""
        return f"One model answers {len(run.heads)} questions{columns}: {named}{more}."
    head = run.heads[0]
    if head.kind == "binary" and len(head.labels) == 2:
        labels = " or ".join(f"“{shortened(label, 30)}”" for label in head.labels)
        return f"Predicts whether {shortened(head.name, 60)} is {labels}{columns}."
    if head.kind == "multilabel":
        return f"Predicts {_kind(head)}{columns}."
    return f"Predicts {shortened(head.name, 60)}, {_kind(head)},{columns}.".replace(",.", ".")


def unit(run: RunFacts, metric: str) -> str:
    """ " (unit of price)" where the metric is in the target's unit."""
    if metric not in IN_UNITS or len(run.heads) != 1:
        return ""
    return f" (unit of {shortened(run.heads[0].name, 40)})"


def _targets(run: RunFacts) -> int:
    return len({target for head in run.heads for target in head.targets})


def _kind(head: HeadFacts) -> str:
    size = len(head.targets) if head.kind == "multilabel" else len(head.labels)
    return TASKS.get(head.kind, "a value").format(size or "several")


def _title(run: RunFacts) -> str:
    origin = shortened(run.origin.replace("\\", "/").rstrip("/").rpartition("/")[2], 60)
    targets = ", ".join(shortened(head.name, 40) for head in run.heads[:3]) + (" …" if len(run.heads) > 3 else "")
    if targets and origin:
        return f"{targets} from {origin}"
    return targets or origin or run.name


def _circumstances(run: RunFacts) -> tuple[str, ...]:
    made = run.created.replace("T", " ")[:16]
    rows = counted(run.rows, "row") if run.rows is not None else ""
    took = f"took {duration(run.seconds)}" if run.seconds is not None else ""
    return tuple(fact for fact in (made, rows, took) if fact)


def _banner(run: RunFacts) -> str:
    stories = {
        "complete": "",
        "running": "the run was still going on when this was written",
        "interrupted": "the run was interrupted",
        "failed": "the run failed",
        "unreadable": "run.json is missing or can't be read",
    }
    story = stories.get(run.status, f"the run's status is “{shortened(run.status, 40)}”")
    return f"Incomplete: {story}. The report shows what had been saved." if story else ""


def _gap(model: float, rival: float, trial: Trial) -> float:
    """How much better the model is, in the metric's unit; negative where it is worse."""
    return model - rival if trial.higher_is_better else rival - model


def _tiles(run: RunFacts, trial: Trial, stands: Standing) -> tuple[Tile, ...]:
    measure = f"{metric_name(trial.metric)}{unit(run, trial.metric)}"
    entries = [
        (shortened(trial.name, 24), stands.model, "deployed", "model"),
        ("HistGradientBoosting", stands.baseline, "baseline, never deployed", "baseline"),
        ("Knowing nothing", stands.reference, "always the same answer", "reference"),
    ]
    return tuple(
        Tile(label, figure(value), measure, what, colour) for label, value, what, colour in entries if value is not None
    )


def _sentences(run: RunFacts, trial: Trial, stands: Standing) -> list[str]:
    rows = f"{stands.rows:,} {stands.part} rows" if stands.rows is not None else f"the {stands.part} rows"
    if stands.rows == 1:
        rows = f"1 {stands.part} row"
    sentences = [f"On {rows} that it never trained on, {_meaning(run, trial, stands)}."]
    if stands.part == "validation":
        sentences[0] += " These rows also chose the model, so the score is a little flattering."
    if stands.reference is not None:
        sentences.append(_against_nothing(trial, stands.model, stands.reference))
    if stands.baseline is not None:
        sentences.append(_against_baseline(trial, stands, stands.baseline))
    if stands.interval is not None:
        low, high = (figure(end, 3) for end in stands.interval)
        sentences.append(f"On other rows like these the score may differ: its 90\N{NO-BREAK SPACE}% interval is {low} to {high}.")
    elif stands.rows is not None and stands.rows < 200:
        sentences.append("With so few rows the score is uncertain: another sample could give quite another one.")
    return sentences


def _meaning(run: RunFacts, trial: Trial, stands: Standing) -> str:
    score, name = figure(stands.model), metric_name(trial.metric)
    found = (trial.test if stands.part == "test" else trial.validation).get("accuracy")
    where = " on average over the heads" if len(run.heads) > 1 else ""
    match trial.metric:
        case "rmse":
            return f"it is typically off by {score}{where} (root mean squared error, in the unit of the target)"
        case "mae":
            return f"it is off by {score} on average (mean absolute error, in the unit of the target)"
        case "accuracy":
            return f"it is right for {percent(stands.model)} of the answers"
        case "roc_auc":
            return (
                f"it tells which of two rows has the class in {percent(stands.model)} of the pairs where one has it "
                f"and the other hasn't{where} (ROC AUC {score}; 0.5 is guessing, 1 is perfect)"
            )
        case "log_loss" if found is not None:
            return f"it is right for {percent(found)} of the answers, and its log loss is {score} (0 is perfect)"
    return f"its {name} is {score}{where} ({'higher' if trial.higher_is_better else 'lower'} is better)"


def _against_nothing(trial: Trial, model: float, nothing: float) -> str:
    name = metric_name(trial.metric)
    if not _gap(model, nothing, trial) > 0:
        return f"That is no better than knowing nothing, which scores {figure(nothing)}."
    if not trial.higher_is_better and nothing > 0:
        return (
            f"Always giving the same answer, knowing nothing, has {_article(name)} {name} of {figure(nothing)}: "
            f"the model's is {percent(1 - model / nothing)} smaller."
        )
    way = f", {percent((model - nothing) / (1 - nothing))} of the way to a perfect 1" if nothing < 1 and model <= 1 else ""
    return f"Always giving the same answer, knowing nothing, scores {figure(nothing)}: the model is better by {figure(model - nothing)}{way}."


def _article(name: str) -> str:
    return "an" if name[:1] in "aeioRMF" and name != "Brier score" else "a"


def _against_baseline(trial: Trial, stands: Standing, baseline: float) -> str:
    gap = _gap(stands.model, baseline, trial)
    rival = f"HistGradientBoosting, a strong baseline for tables, scores {figure(baseline)}"
    if abs(gap) <= stands.spread:
        return f"{rival}: about as good; the difference is smaller than the scores vary between rotations (±{figure(stands.spread, 2)})."
    better = "better" if gap > 0 else "worse"
    if trial.higher_is_better or baseline <= 0:
        return f"{rival}: the model is {better} by {figure(abs(gap))}."
    return f"{rival}: the model is {percent(abs(gap) / baseline)} {better}."


def _interval(facts: Facts, part: str, score: float, metric: str) -> Interval | None:
    """What the rows at hand say about the score; None where the diagnostics don't belong to it."""
    heads = objects(facts.diagnostics.get("heads"))
    if len(heads) != 1 or facts.diagnostics.get("part") != part or number(facts.diagnostics.get("trial")) != facts.run.deployed:
        return None
    head = heads[0]
    if text(head.get("kind")) == "regression":
        found = uncertainty.error(metric, residuals(head))
    else:
        found = _interval_of_share(metric, score, head)
    return found if found is not None and found[0] <= score <= found[1] else None


def residuals(head: dict[str, object]) -> np.ndarray:
    """Predicted minus observed, (n,), of a regression's diagnostics."""
    pairs = [(number(y), number(p)) for y, p in zip(sequence(head.get("observed")), sequence(head.get("predicted")))]
    return np.array([p - y for y, p in pairs if y is not None and p is not None])


def _interval_of_share(metric: str, score: float, head: dict[str, object]) -> Interval | None:
    confusion = [[number(cell) or 0.0 for cell in sequence(row)] for row in sequence(head.get("confusion"))]
    per_class: Sequence[float] = [sum(row) for row in confusion]
    if metric == "accuracy" and sum(per_class) >= 1 and 0 <= score <= 1:
        return uncertainty.wilson(score, sum(per_class))
    if metric == "roc_auc" and text(head.get("kind")) == "binary" and len(per_class) == 2 and 0 <= score <= 1:
        return uncertainty.roc_area(score, int(per_class[0]), int(per_class[1]))
    return None
