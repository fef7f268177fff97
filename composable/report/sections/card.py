"""What a reader should know: warnings, choices that were made, and the model card with use and limits.

The card is that of Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from composable.report.facts import Detail, Facts, NoticeFacts, Trial, read_detail
from composable.report.reading import mapping, number, objects, shortened, text
from composable.report.section import Section
from composable.report.standing import standing
from composable.report.words import INPUTS, TARGETS, TargetWords, counted, duration, figure, metric_name, size

MOST = 60  # notices of each level
_METRICS = 60


@dataclass(frozen=True)
class Choices:
    """The notices by level, and how many more there are."""

    warnings: list[NoticeFacts]
    choices: list[NoticeFacts]
    left_out: int


def choices(facts: Facts) -> Choices:
    """The first notices of each level."""
    warnings = [notice for notice in facts.run.notices if notice.level == "warning"]
    others = [notice for notice in facts.run.notices if notice.level != "warning"]
    left_out = max(0, len(warnings) - MOST) + max(0, len(others) - MOST)
    return Choices(warnings[:MOST], others[:MOST], left_out)


CHOICES = Section("choices", "Warnings and choices", choices)


@dataclass(frozen=True)
class Card:
    """The card's parts; each entry is a term and what is said about it."""

    use: tuple[str, ...]
    entries: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str, str], ...]
    metrics_note: str
    limits: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    shell: str
    python: str


def card(facts: Facts) -> Card:
    """The card of the deployed model, or of the run where nothing is deployed yet."""
    trial = facts.deployed
    detail = read_detail(trial) if trial is not None else None
    names = sorted({*trial.validation, *trial.test}) if trial else []
    targets = [TARGETS[head.kind] for head in facts.run.heads if head.kind in TARGETS]
    use = targets[0] if targets else TargetWords("")
    return Card(
        use=tuple(_use(facts)),
        entries=tuple(_entries(facts, trial, detail)),
        metrics=tuple(
            (metric_name(name), figure(trial.validation.get(name)), figure(trial.test.get(name)))
            for name in names[:_METRICS]
            if trial is not None
        ),
        metrics_note=f"{_METRICS} of {len(names)} metrics are shown." if len(names) > _METRICS else "",
        limits=tuple(_limits(facts)),
        environment=tuple(_environment(facts)),
        shell=f"composable predict {shlex.quote(facts.run.name)} {use.rows} --out {use.out}",
        python=(
            "import composable\n\n"
            f"model = composable.load({json.dumps(facts.run.name + '/bundle', ensure_ascii=False)})\n"
            f'predictions = model.{use.method}("{use.rows}")'
        ),
    )


def _use(facts: Facts) -> list[str]:
    origin = shortened(facts.run.origin, 80) or "the training data"
    return [
        f"For rows that come about as those of {origin} did: the same columns, collected in the same way.",
        "Not for people, places or times that those rows don't cover, and not to learn what causes what: "
        "a column that helps to predict need not be a cause.",
    ]


def _entries(facts: Facts, trial: Trial | None, detail: Detail | None) -> list[tuple[str, str]]:
    run = facts.run
    rows = {part: f"{int(number):,} {part}" for part, number in run.split_rows.items() if number}
    entries = [
        ("Data", shortened(run.origin, 200)),
        (
            "Size",
            "" if run.rows is None else f"{counted(run.rows, 'row')}, {counted(run.columns or 0, 'column')}",
        ),
        ("Fingerprint", shortened(run.fingerprint, 100)),
        ("Test data", shortened(run.test_origin, 200)),
        ("Split", shortened(run.split, 400)),
        ("Rows", ", ".join(rows.values())),
        ("Chosen by", metric_name(run.metric) if run.metric else ""),
    ]
    if trial is not None:
        parameters = "" if trial.parameters is None else f"{trial.parameters:,} parameters, "
        entries += [
            ("Model", f"{shortened(trial.name, 80)}, trial {trial.number}"),
            ("Cost", f"{parameters}{size(trial.bytes)}, {figure(trial.latency_ms, 2)} ms for one row"),
            ("Trained in", "" if trial.role == "ensemble" else duration(trial.seconds)),
            ("Expected", _expected(facts)),
        ]
    if detail is not None:
        settings = [
            f"{text(name, 40)} {text(value, 40)}" for name, value in detail.settings.items() if text(value)
        ]
        entries += [("Settings", ", ".join(settings[:20])), ("Calibration", _calibration(detail))]
    return [(term, words) for term, words in entries if words]


def _expected(facts: Facts) -> str:
    """The score to expect of new rows, with its interval, "" where it isn't known."""
    found = facts.run.expected
    if found is None:
        return ""
    measured = "" if found.rows is None else f", measured on {counted(found.rows, 'row')}"
    interval = f"90 % interval {figure(found.low)} to {figure(found.high)}"
    return f"{metric_name(found.metric or facts.run.metric)} {figure(found.value)}, {interval}{measured}"


def _calibration(detail: Detail) -> str:
    temperatures = []
    for name, entry in list(detail.calibration.items())[:8]:
        temperature = number(mapping(entry).get("temperature"))
        before, after = (number(mapping(entry).get(key)) for key in ("log_loss_before", "log_loss_after"))
        if temperature is not None and before is not None and after is not None:
            change = f"log loss {figure(before)} to {figure(after)}"
            temperatures.append(
                f"{shortened(text(name), 40)}: temperature {figure(temperature, 3)}, {change}"
            )
    return "; ".join(temperatures)


def _limits(facts: Facts) -> list[str]:
    kinds = dict.fromkeys(
        text(column.get("kind")) for column in objects(facts.file("profile").get("columns"))
    )
    limits = [
        "Numbers outside the range of the training rows are extrapolated; predictions say which they are.",
        *(TARGETS[head.kind].limit for head in facts.run.heads if head.kind in TARGETS),
        *(INPUTS[kind].limit for kind in kinds if kind in INPUTS),
    ]
    limits = [limit for limit in dict.fromkeys(limits) if limit]
    stands = standing(facts)
    if stands is not None and stands.rows is not None:
        few = stands.rows < 1000
        limits.append(
            f"Its score was measured on {counted(stands.rows, stands.part + ' row')}"
            + ("; with so few, differences between candidates can be luck." if few else ".")
        )
    limits.append("Nothing here was audited for fairness between groups of people.")
    return limits


def _environment(facts: Facts) -> list[tuple[str, str]]:
    run = facts.run
    versions = ", ".join(
        f"{shortened(name, 40)} {shortened(version, 40)}" for name, version in list(run.versions.items())[:20]
    )
    machine = [_device(shortened(name, 40), shortened(value, 80)) for name, value in run.machine.items()]
    entries = [
        ("Versions", versions),
        ("Machine", ", ".join(machine[:10])),
        ("Seed", text(run.options.get("seed"))),
        ("Made", run.created),
        ("Took", duration(run.seconds) if run.seconds is not None else ""),
    ]
    return [(term, words) for term, words in entries if words]


def _device(name: str, value: str) -> str:
    match name:
        case "processor":
            return value
        case "cores":
            return f"{value} cores"
        case "memory_gb":
            return f"{value} GB of memory"
    return f"{name} {value}"


CARD = Section("card", "Model card", card)
