"""What the model does and how good it is, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from composable.report.facts import Facts, RunFacts, Trial
from composable.report.reading import shortened
from composable.report.standing import Standing, standing, unit
from composable.report.words import INPUTS, answer, counted, duration, figure, metric_name, percent

_BANNERS = {
    "complete": "",
    "running": "the run was still going on when this was written",
    "interrupted": "the run was interrupted",
    "failed": "the run failed",
    "unreadable": "run.json is missing or can't be read",
}


@dataclass(frozen=True)
class Tile:
    """One number to remember. `color` names its style: model, baseline or reference."""

    label: str
    value: str
    measure: str
    note: str
    color: str


@dataclass(frozen=True)
class Headline:
    """The first things a reader sees.

    Attributes:
        title: Targets and data.
        facts: When, how much, how long.
        question: What the model answers.
        sentences: How good it is.
        tiles: The scores.
        banner: Why the run is incomplete, or "".
        alarm: Why the model should not be used, or "".
    """

    title: str
    facts: tuple[str, ...]
    question: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    banner: str
    alarm: str


def headline(facts: Facts) -> Headline:
    """The headline of a run, whatever state it is in."""
    run, deployed, stands = facts.run, facts.deployed, standing(facts)
    sentences = ["There is no deployed model yet, so there is nothing to say about how good it is."]
    tiles: tuple[Tile, ...] = ()
    alarm = ""
    if deployed is not None and stands is not None:
        sentences = _sentences(run, deployed, stands)
        tiles = _tiles(run, deployed, stands)
        if stands.constant is not None and not _gap(stands.model, stands.constant, deployed) > 0:
            alarm = "This model is no better than predicting the same for every row. Don't deploy it."
    elif deployed is not None:
        sentences = ["A model is deployed, but its score isn't known."]
    return Headline(
        title=_title(run),
        facts=_circumstances(run),
        question=_question(facts),
        sentences=tuple(sentences),
        tiles=tiles,
        banner=_banner(run),
        alarm=alarm,
    )


def _title(run: RunFacts) -> str:
    origin = shortened(run.origin.replace("\\", "/").rstrip("/").rpartition("/")[2], 60)
    targets = ", ".join(shortened(head.name, 40) for head in run.heads[:3])
    targets += " …" if len(run.heads) > 3 else ""
    return f"{targets} from {origin}" if targets and origin else targets or origin or run.name


def _circumstances(run: RunFacts) -> tuple[str, ...]:
    made = run.created.replace("T", " ")[:16]
    rows = counted(run.rows, "row") if run.rows is not None else ""
    took = f"took {duration(run.seconds)}" if run.seconds is not None else ""
    return tuple(fact for fact in (made, rows, took) if fact)


def _question(facts: Facts) -> str:
    run = facts.run
    if not run.heads:
        return "The problem isn't known."
    columns = _asked_from(facts)
    head, *further = run.heads
    if further:
        named = ", ".join(f"{shortened(each.name, 40)} ({answer(each)})" for each in run.heads[:6])
        more = f" and {len(run.heads) - 6} more" if len(run.heads) > 6 else ""
        return f"One model predicts {len(run.heads)} targets{columns}: {named}{more}."
    if len(head.targets) == 1 and len(head.labels) == 2:
        labels = " or ".join(f"“{shortened(label, 30)}”" for label in head.labels)
        return f"Predicts whether {shortened(head.name, 60)} is {labels}{columns}."
    if len(head.targets) > 1:
        return f"Predicts {answer(head)}{columns}."
    return f"Predicts {shortened(head.name, 60)}, {answer(head)}{',' if columns else ''}{columns}."


def _asked_from(facts: Facts) -> str:
    if facts.features.total() == 1:
        (kind,) = facts.features
        if kind in INPUTS and INPUTS[kind].alone:
            return INPUTS[kind].alone
    targets = {target for head in facts.run.heads for target in head.targets}
    others = facts.features.total() or (facts.run.columns or 0) - len(targets)
    return f" from {counted(others, 'other column')}" if others > 0 else ""


def _banner(run: RunFacts) -> str:
    story = _BANNERS.get(run.status, f"the run's status is “{shortened(run.status, 40)}”")
    return f"Incomplete: {story}. The report shows what had been saved." if story else ""


def _tiles(run: RunFacts, trial: Trial, stands: Standing) -> tuple[Tile, ...]:
    measure = f"{metric_name(trial.metric)}{unit(run, trial.metric)}"
    entries = [
        (shortened(trial.name, 24), stands.model, "deployed", "model"),
        (stands.about[0], stands.baseline, "baseline, never deployed", "baseline"),
        ("Constant predictor", stands.constant, "predicts the same for every row", "reference"),
    ]
    return tuple(
        Tile(label, figure(value), measure, note, color)
        for label, value, note, color in entries
        if value is not None
    )


def _sentences(run: RunFacts, trial: Trial, stands: Standing) -> list[str]:
    rows = (
        counted(stands.rows, f"{stands.part} row") if stands.rows is not None else f"the {stands.part} rows"
    )
    sentences = [f"On {rows} that it did not learn from, {_meaning(run, trial, stands)}."]
    sentences += _certainty(run, trial, stands)
    if stands.constant is not None:
        sentences.append(_against_constant(trial, stands.model, stands.constant))
    if stands.baseline is not None:
        sentences.append(_against_baseline(trial, stands, stands.baseline))
    return sentences


def _certainty(run: RunFacts, trial: Trial, stands: Standing) -> list[str]:
    """How far the score can be trusted."""
    sentences, interval = [], ""
    if stands.interval is not None:
        low, high = (figure(end, 3) for end in stands.interval)
        interval = f"its 90\N{NO-BREAK SPACE}% interval is {low} to {high}"
    if run.expected is not None:
        sentences.append(
            "That is what to expect of new rows like these: choosing the model, weighting its members and "
            f"calibrating it were repeated without the rows that were scored; {interval}."
        )
        if trial.test_score is not None:
            test = figure(trial.test_score)
            sentences.append(f"On the test rows, which nothing was chosen by, it is {test}.")
        return sentences
    if stands.part == "validation":
        sentences.append("The model was chosen by the same rows, so the score is a little optimistic.")
    if interval:
        sentences.append(f"On other rows like these the score may differ: {interval}.")
    elif stands.rows is not None and stands.rows < 200:
        sentences.append("With so few rows it is uncertain: another sample could give quite another score.")
    return sentences


def _meaning(run: RunFacts, trial: Trial, stands: Standing) -> str:
    score = figure(stands.model)
    accuracy = (trial.test if stands.part == "test" else trial.validation).get("accuracy")
    where = " on average over the targets" if len(run.heads) > 1 else ""
    match trial.metric:
        case "rmse":
            return (
                f"it is typically off by {score}{where} (root mean squared error, in the unit of the target)"
            )
        case "mae":
            on_average = where or " on average"
            return f"it is off by {score}{on_average} (mean absolute error, in the unit of the target)"
        case "accuracy":
            return f"it predicts {percent(stands.model)} right"
        case "roc_auc":
            return (
                f"of two rows of which one has the class, it finds that one {percent(stands.model)} of the "
                f"time{where} (ROC AUC {score}; 0.5 is guessing, 1 is perfect)"
            )
        case "mean_iou":
            return (
                f"of the pixels that it gives a class or that have it, {percent(stands.model)} are both, on "
                f"average over the classes (mean intersection over union {score}; 1 is perfect)"
            )
        case "log_loss" if accuracy is not None:
            right = f"it predicts {percent(accuracy)} right"
            return f"{right}, and its log loss is {score}{where} (0 is perfect)"
    better = "higher" if trial.higher_is_better else "lower"
    return f"its {metric_name(trial.metric)} is {score}{where} ({better} is better)"


def _gap(model: float, other: float, trial: Trial) -> float:
    """How much better the model is, in the metric's unit; negative where it is worse."""
    return model - other if trial.higher_is_better else other - model


def _against_constant(trial: Trial, model: float, constant: float) -> str:
    other = f"A constant predictor, which predicts the same for every row, scores {figure(constant)}"
    if not _gap(model, constant, trial) > 0:
        return f"{other}: the model is no better."
    if not trial.higher_is_better and constant > 0:
        return f"{other}: the model's {metric_name(trial.metric)} is {percent(1 - model / constant)} smaller."
    gain = f"{other}: the model is better by {figure(model - constant, 3)}"
    if constant < 1 and model <= 1:
        gain += f", {percent((model - constant) / (1 - constant))} of the way to a perfect 1"
    return f"{gain}."


def _against_baseline(trial: Trial, stands: Standing, baseline: float) -> str:
    gap = _gap(stands.model, baseline, trial)
    name, about = stands.about
    other = f"{name}, {about}, scores {figure(baseline)}"
    if abs(gap) <= stands.spread:
        spread = f"±{figure(stands.spread, 2)}"
        return f"{other}: about as good, since scores vary more than that between folds ({spread})."
    better = "better" if gap > 0 else "worse"
    if trial.higher_is_better or baseline <= 0:
        return f"{other}: the model is {better} by {figure(abs(gap), 3)}."
    if abs(gap) > 9 * baseline:
        return f"{other}: the model's {metric_name(trial.metric)} is more than ten times as large."
    return f"{other}: the model is {percent(abs(gap) / baseline)} {better}."
