"""Why the winner of a run won, what was tried, what was stopped, and what to try next: in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts, Trial, read_detail
from composable.report.reading import count, number, objects, shortened, text
from composable.report.standing import unit
from composable.report.words import counted, duration, figure, metric_name, percent

EXPLANATION, FORMAT = "explanation", "composable.explanation/1"
_READ = 200  # trials whose histories are read
_SHOWN = 8  # choices, families, causes
_NARROW = 2.0  # times as small and as large as the best value, to be searched next
_NOTABLE = 0.15  # of the importance
_TIME = ("it would take", "the time limit")  # how the reasons begin of trials that time left out


@dataclass(frozen=True)
class MemberLine:
    """A member of the deployed ensemble: its weight, and the score that the others reach without it."""

    trial: int
    name: str
    weight: float
    without: float | None
    brings: float | None


@dataclass(frozen=True)
class ChoiceLine:
    """A choice that mattered: its share of the importance, the best value, and what was tried."""

    choice: str
    importance: float
    best: str
    tried: str


@dataclass(frozen=True)
class Ended:
    """Trials that were stopped, skipped or failed of one cause."""

    status: str
    cause: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What to try next.

    Attributes:
        text: Why.
        flags: What to add to the command of the fit; or a whole command that begins with "composable".
    """

    text: str
    flags: str


@dataclass(frozen=True)
class Why:
    """Why the winner won.

    Attributes:
        winner: Sentences about it, and about what it beats.
        members: Of an ensemble.
        choices: The most important first.
        tried: Sentences.
        ended: What didn't come to its end.
        advice: What to try next.
    """

    winner: tuple[str, ...]
    members: tuple[MemberLine, ...]
    choices: tuple[ChoiceLine, ...]
    tried: tuple[str, ...]
    ended: tuple[Ended, ...]
    advice: tuple[Advice, ...]


def why(facts: Facts, more: Mapping[str, Any] | None = None) -> Why:
    """Why the winner of a run won, whatever state the run is in.

    Args:
        facts: Of the run.
        more: What `explanation.json` would hold, for runs that have none.
    """
    found = facts.file(EXPLANATION)
    if count(found.get("trial")) != facts.run.deployed:  # of another winner, or none
        found = {}
    found = {**(more or {}), **found}
    choices = [one for one in objects(found.get("choices")) if number(one.get("importance")) is not None]
    ended = _ended(facts)
    return Why(
        winner=tuple(_winner(facts, objects(found.get("against")))),
        members=tuple(_members(facts, objects(found.get("members")))),
        choices=tuple(map(_choice_line, choices[:_SHOWN])),
        tried=tuple(_tried(facts)),
        ended=tuple(ended),
        advice=tuple(_advice(facts, choices, ended)),
    )


def _winner(facts: Facts, against: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    deployed = facts.deployed
    if deployed is None or deployed.score is None:
        yield "Nothing is deployed yet, so there is no winner to explain."
        return
    measure = f"{metric_name(deployed.metric)}{unit(facts.run, deployed.metric)}"
    better = "higher" if deployed.higher_is_better else "lower"
    yield (
        f"{_named(deployed)} won: {measure} {figure(deployed.score)} on rows that its networks did not learn "
        f"from ({better} is better)."
    )
    yield from (_against(one) for one in against) if against else _without_intervals(facts, deployed)
    if (expected := facts.run.expected) is not None:
        yield (
            f"The same rows chose it. The score to expect on new rows is {figure(expected.value)}, with 90 % "
            f"probability between {figure(expected.low)} and {figure(expected.high)}."
        )


def _named(trial: Trial) -> str:
    return f"{shortened(trial.name, 60)} (trial {trial.number})"


def _against(one: Mapping[str, Any]) -> str:
    """How much better the winner is than another trial, and whether that may be chance."""
    gain, low, high = (number(one.get(name)) for name in ("difference", "low", "high"))
    role = {"baseline": "the baseline, ", "reference": ""}.get(text(one.get("role")), "the runner-up, ")
    other = f"{role}{shortened(text(one.get('name')), 60)} ({figure(number(one.get('score')))})"
    if gain is None:
        return f"How it compares with {other} isn't known."
    verb = "beats" if gain > 0 else "does no better than" if gain == 0 else "is worse than"
    sentence = f"It {verb} {other}" + (f" by {figure(abs(gain), 3)}" if gain else "")
    if low is None or high is None:
        return f"{sentence}."
    verdict = "" if low > 0 or high < 0 else ": that may be chance"
    return (
        f"{sentence}; the 90 % interval of the difference is {figure(low, 3)} to {figure(high, 3)}{verdict}."
    )


def _without_intervals(facts: Facts, deployed: Trial) -> Iterator[str]:
    """The same of a run that kept no comparison."""
    others = [
        next((t for t in facts.ranked if t.role == "network" and t.number != deployed.number), None),
        facts.best("baseline"),
        facts.best("reference"),
    ]
    sign = 1.0 if deployed.higher_is_better else -1.0
    for other in others:
        if other is not None and other.score is not None and deployed.score is not None:
            gain = sign * (deployed.score - other.score)
            yield _against({"difference": gain, "role": other.role, "name": other.name, "score": other.score})
    if deployed.spread:
        yield f"Scores vary by ±{figure(deployed.spread, 2)} between folds."


def _members(facts: Facts, known: Sequence[Mapping[str, Any]]) -> Iterator[MemberLine]:
    if known:
        for one in known:
            name, weight = shortened(text(one.get("name")), 60), number(one.get("weight")) or 0.0
            without, brings = number(one.get("without")), number(one.get("brings"))
            yield MemberLine(count(one.get("trial")) or 0, name, weight, without, brings)
        return
    if facts.deployed is not None:
        for member in sorted(read_detail(facts.deployed).members, key=lambda one: -one.weight):
            yield MemberLine(member.trial, member.name, member.weight, None, None)


def _choice_line(one: Mapping[str, Any]) -> ChoiceLine:
    low, high = number(one.get("low")), number(one.get("high"))
    tried = f"{figure(low, 3)} to {figure(high, 3)}" if low is not None and high is not None else ""
    best = number(one.get("best"))
    shown = shortened(text(one.get("best")), 60) if best is None else figure(best, 3)
    return ChoiceLine(
        shortened(text(one.get("choice")), 80), number(one.get("importance")) or 0.0, shown, tried
    )


def _tried(facts: Facts) -> Iterator[str]:
    networks = [trial for trial in facts.trials if trial.role == "network"]
    if not networks:
        return
    done = [trial for trial in networks if trial.is_ranked]
    seconds = sum(trial.seconds or 0.0 for trial in networks)
    yield (
        f"{counted(len(networks), 'network')} tried in {duration(seconds)}, of which {len(done)} "
        f"{'has' if len(done) == 1 else 'have'} a score."
    )
    families = Counter(_family(trial.name) for trial in networks)
    best: dict[str, float | None] = {}
    for trial in facts.ranked:
        if trial.role == "network":
            best.setdefault(_family(trial.name), trial.score)
    order = [*best, *(family for family in families if family not in best)]  # the best family first
    parts = [
        f"{shortened(family, 40)} {families[family]}"
        + (f" (best {figure(best[family])})" if family in best else "")
        for family in order[:_SHOWN]
    ]
    more = f", and {len(order) - _SHOWN} more" if len(order) > _SHOWN else ""
    yield f"By family: {', '.join(parts)}{more}."


def _family(name: str) -> str:
    first, _, last = name.rpartition("_")
    return first if first and last.isdecimal() else name


def _ended(facts: Facts) -> list[Ended]:
    """What the clock stopped, what was skipped, and what failed."""
    groups: dict[tuple[str, str], list[str]] = {}
    networks = [trial for trial in facts.trials if trial.role == "network"]
    for trial in networks:
        if trial.status in ("failed", "skipped"):
            cause = "time" if trial.reason.startswith(_TIME) else shortened(trial.reason, 200)
            groups.setdefault((trial.status, cause or "no reason given"), []).append(trial.name)
    for trial in [one for one in networks if one.is_ranked][:_READ]:
        if _was_stopped(trial):
            groups.setdefault(("stopped", "the clock ended its training"), []).append(trial.name)
    order = {"stopped": 0, "skipped": 1, "failed": 2}
    keys = sorted(groups, key=lambda key: (order[key[0]], -len(groups[key])))
    return [
        Ended(
            status,
            "too little time was left" if cause == "time" else cause,
            tuple(shortened(name, 40) for name in groups[status, cause]),
        )
        for status, cause in keys[:_SHOWN]
    ]


def _was_stopped(trial: Trial) -> bool:
    return "deadline" in read_detail(trial).stopped


def _advice(facts: Facts, choices: Sequence[Mapping[str, Any]], ended: Sequence[Ended]) -> Iterator[Advice]:
    options = facts.run.options
    limit, most = number(options.get("time_limit")), count(options.get("max_trials"))
    short = [one for one in ended if one.status == "stopped" or one.cause == "too little time was left"]
    networks = sum(trial.role == "network" for trial in facts.trials)
    if short and limit:
        names = list(dict.fromkeys(name for one in short for name in one.names))
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield Advice(f"Time was short for {listed}: a longer limit goes on with this run.", _time(2 * limit))
    elif limit and facts.run.status == "complete" and (most is None or networks < most):
        yield Advice("A longer limit goes on with this run where it ended.", _time(2 * limit))
    if most is not None and networks >= most:
        yield Advice(
            f"All {counted(most, 'candidate')} that were allowed were tried: more go on with this run.",
            f"--max-trials {2 * most}",
        )
    yield from _narrower(facts, choices)
    if any(one.status == "failed" for one in ended):
        yield Advice("What failed, with its cause and traceback:", f"composable failures {facts.run.name}")
    deployed, baseline = facts.deployed, facts.best("baseline")
    if deployed is not None and baseline is not None and _is_no_better(deployed, baseline):
        yield Advice(
            "The winner is no better than the baseline: better columns or more rows would help more than "
            "further search.",
            "",
        )


def _time(seconds: float) -> str:
    return f"--time-limit {seconds:.0f}"


def _is_no_better(trial: Trial, other: Trial) -> bool:
    if trial.score is None or other.score is None:
        return False
    return trial.score <= other.score if trial.higher_is_better else trial.score >= other.score


def _narrower(facts: Facts, choices: Sequence[Mapping[str, Any]]) -> Iterator[Advice]:
    """A range about the best value of the most important number of the training, and its family."""
    ranged = (
        (name, best)
        for one in choices
        if (name := text(one.get("choice"))).endswith((".training.learning_rate", ".training.weight_decay"))
        and (best := number(one.get("best")))
        and (number(one.get("importance")) or 0.0) >= _NOTABLE
    )
    for name, best in ranged:
        family, _, setting = name.partition(".training.")
        words = setting.replace("_", " ")
        about = f"What mattered most of {family} was its {words}; the best was {figure(best, 3)}"
        if setting == "learning_rate":
            low, high = best / _NARROW, best * _NARROW
            yield Advice(f"{about}: search about it.", f"--range {family}.{setting}={low:.3g}:{high:.3g}")
        else:
            yield Advice(f"{about}: keep it, and search the rest.", f"--set {family}.{setting}={best:.3g}")
        return
    family = next((one for one in choices if text(one.get("choice")) == "family"), None)
    if family is not None and (number(family.get("importance")) or 0.0) >= 1 - _NOTABLE and facts.ranked:
        worst = _family([t for t in facts.ranked if t.role == "network"][-1].name)
        yield Advice(
            f"The family decided nearly all ({percent(number(family.get('importance')) or 0.0)}): leave the "
            "weakest one out.",
            f"--exclude {worst}",
        )
