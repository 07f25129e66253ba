"""Tell of each incident once: when it begins, when it gets worse, and when it is over. Pure.

    seen ──► open, told ──► (again and again: nothing) ──► away for `quiet_for` ──► over, told
                        └─► worse: told once more

The record is stored before anybody is told and again after, so a process that dies in between tells
twice, never not at all; and a notifier that fails is called again by the next look.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from tidemark.core.documents import Frozen

Severity = Literal["ticket", "page"]
SEVERITIES: tuple[Severity, ...] = ("page", "ticket")
Event = Literal["open", "worse", "over"]

_IN_FULL = 10  # incidents of one message; a chat cuts long ones
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is wrong now.

    :param alert: the alert's name (`alerts.py`); :param subject: what it is about, such as
        ``shop.orders -> secondary``: the two together are one incident, however long it lasts
    :param said: what is wrong; :param do: what the reader does next
    """

    alert: str
    subject: str
    severity: Severity
    said: str
    do: str

    @property
    def key(self) -> str:
        """Names the incident."""
        return f"{self.alert}: {self.subject}"


class Incident(Frozen):
    """One incident.

    :param since: when it was first seen; :param seen: when it last was
    :param untold: what nobody was told yet, if anything
    """

    alert: str
    subject: str
    severity: Severity
    said: str
    do: str
    since: AwareDatetime
    seen: AwareDatetime
    untold: Event | None = None

    @property
    def key(self) -> str:
        """Names the incident."""
        return f"{self.alert}: {self.subject}"

    @property
    def stream(self) -> str:
        """The table or queue that it is about."""
        return self.subject.partition(" -> ")[0]


class Incidents(Frozen):
    """What is open, and what is over and was not told yet, by key."""

    known: dict[str, Incident] = Field(default_factory=dict)

    def untold(self, severity: Severity) -> list[Incident]:
        """What somebody has to be told, oldest first."""
        waiting = [i for i in self.known.values() if i.untold and i.severity == severity]
        return sorted(waiting, key=lambda each: (each.since, each.key))

    def open(self, severity: Severity) -> list[Incident]:
        """What is not over, oldest first."""
        found = [i for i in self.known.values() if i.severity == severity and i.untold != "over"]
        return sorted(found, key=lambda each: (each.since, each.key))


def observe(
    before: Incidents,
    symptoms: Iterable[Symptom],
    now: datetime,
    quiet_for: timedelta,
    blind: Callable[[Incident], bool] = lambda _: False,
) -> Incidents:
    """Return what is known after a look.

    :param quiet_for: so long a symptom must be away until its incident is over: one that comes and
        goes is one incident
    :param blind: whether this look could not judge an incident: it stays as it is
    """
    seen: dict[str, Symptom] = {}
    for symptom in symptoms:
        worst = seen.get(symptom.key)
        if worst is None or (worst.severity, symptom.severity) == ("ticket", "page"):
            seen[symptom.key] = symptom
    known: dict[str, Incident] = {}
    for key, incident in before.known.items():
        if key in seen:
            known[key] = _again(incident, seen.pop(key), now)
        elif blind(incident):
            known[key] = incident
        elif left := _without(incident, now, quiet_for):
            known[key] = left
    return Incidents(known=known | {key: _new(each, now) for key, each in seen.items()})


def after_telling(before: Incidents, told: Iterable[Incident]) -> Incidents:
    """Strike what was told, as it stood when it was told."""
    known = dict(before.known)
    for incident in told:
        if (now := known.get(incident.key)) is None or now.untold != incident.untold:
            continue
        if incident.untold == "over":
            del known[incident.key]
        else:
            known[incident.key] = now.model_copy(update={"untold": None})
    return Incidents(known=known)


def digest(incidents: Sequence[Incident]) -> str:
    """Say it to a person, in one message however many there are: an outage concerns every table."""
    said = [_words(each) for each in incidents[:_IN_FULL]]
    if left := incidents[_IN_FULL:]:
        said.append(f"And {len(left)} more: {', '.join(each.key for each in left[:_NAMED])}, …")
    return "\n\n".join(said)


def _words(incident: Incident) -> str:
    head = f"[{incident.severity}] {incident.key}"
    if incident.untold == "over":
        lasted = _long(incident.seen - incident.since)
        return f"{head}: over, after {lasted}. It was: {incident.said}"
    worse = " (worse than told before)" if incident.untold == "worse" else ""
    return f"{head}{worse}: {incident.said}. {incident.do}"


def _new(symptom: Symptom, now: datetime) -> Incident:
    return Incident(
        alert=symptom.alert,
        subject=symptom.subject,
        severity=symptom.severity,
        said=symptom.said,
        do=symptom.do,
        since=now,
        seen=now,
        untold="open",
    )


def _again(incident: Incident, symptom: Symptom, now: datetime) -> Incident:
    worse = (incident.severity, symptom.severity) == ("ticket", "page")
    # Nobody was told yet that it was over, so it never was.
    untold: Event | None = None if incident.untold == "over" else incident.untold
    if worse and untold is None:
        untold = "worse"
    return incident.model_copy(
        update={
            "severity": "page" if worse else incident.severity,
            "said": symptom.said,
            "do": symptom.do,
            "seen": max(now, incident.seen),
            "untold": untold,
        }
    )


def _without(incident: Incident, now: datetime, quiet_for: timedelta) -> Incident | None:
    """What becomes of an incident whose symptom is away. One that nobody heard of just goes."""
    if incident.untold == "over" or now - incident.seen < quiet_for:
        return incident
    if incident.untold == "open":
        return None
    return incident.model_copy(update={"untold": "over"})


def _long(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
