"""If these fail, the same incident wakes somebody every minute, or one wakes nobody."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.signals.incidents import (
    SEVERITIES,
    Incident,
    Incidents,
    Symptom,
    after_telling,
    digest,
    observe,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUIET = 10 * MINUTE


def symptom(severity="ticket", subject="s.a -> secondary", said="it owes 3 batches"):
    return Symptom("batch-unloaded", subject, severity, said, "Pay it.")


def told(incidents: Incidents) -> tuple[list[Incident], Incidents]:
    """Tell everything; return what was told, and what is remembered after."""
    waiting = [each for severity in SEVERITIES for each in incidents.untold(severity)]
    return waiting, after_telling(incidents, waiting)


def looks(*seen, start=None):
    """What is told in each minute, of the symptoms in each."""
    incidents, story = start or Incidents(), []
    for minute, symptoms in enumerate(seen):
        incidents = observe(incidents, symptoms, NOW + minute * MINUTE, QUIET)
        waiting, incidents = told(incidents)
        story.append([(each.untold, each.severity) for each in waiting])
    return story, incidents


def test_an_incident_is_told_once_once_more_when_it_gets_worse_and_once_when_it_is_over():
    quiet = [()] * 10
    story, left = looks(*[[symptom()]] * 3, *[[symptom("page")]] * 3, [symptom()], *quiet)
    assert story[0] == [("open", "ticket")]
    assert story[3] == [("worse", "page")]
    assert story[-1] == [("over", "page")]
    assert sum(map(len, story)) == 3
    assert left == Incidents()


def test_what_comes_and_goes_is_one_incident():
    story, _ = looks(*[[symptom()], (), (), ()] * 20)
    assert sum(map(len, story)) == 1


def test_nobody_hears_that_it_is_over_and_back_in_one_breath():
    seen = observe(Incidents(), [symptom()], NOW, QUIET)
    _, seen = told(seen)
    over = observe(seen, (), NOW + QUIET, QUIET)
    assert [each.untold for each in over.untold("ticket")] == ["over"]
    again = observe(over, [symptom()], NOW + QUIET + MINUTE, QUIET)
    assert again.untold("ticket") == []
    assert again.known[symptom().key].since == NOW


def test_what_could_not_be_judged_stays_as_it_was():
    _, seen = told(observe(Incidents(), [symptom()], NOW, QUIET))
    later = NOW + 100 * MINUTE
    assert observe(seen, (), later, QUIET, lambda each: each.stream == "s.a") == seen
    assert observe(seen, (), later, QUIET, lambda each: each.stream == "s.b").untold("ticket")


def test_what_nobody_was_told_of_waits_until_somebody_is():
    seen = observe(Incidents(), [symptom()], NOW, QUIET)
    seen = observe(seen, [symptom("page")], NOW + MINUTE, QUIET)
    (waiting,) = seen.untold("page")
    assert waiting.untold == "open", "the first that anybody hears of it"


def test_telling_strikes_only_what_was_told():
    first = observe(Incidents(), [symptom()], NOW, QUIET)
    waiting = first.untold("ticket")
    _, known = told(first)
    worse = observe(known, [symptom("page")], NOW + MINUTE, QUIET)
    assert after_telling(worse, waiting) == worse, "it got worse while the first was told"


def test_many_are_one_message():
    outage = [symptom("page", f"s.t{n:03} -> secondary") for n in range(1_000)]
    text = digest(observe(Incidents(), outage, NOW, QUIET).untold("page"))
    assert text.startswith("[page] batch-unloaded: s.t000 -> secondary: it owes 3 batches. Pay it.")
    assert "And 990 more: batch-unloaded: s.t010 -> secondary" in text
    assert len(text) < 4_000


@given(st.lists(st.sampled_from(["", "ticket", "page"]), max_size=60))
def test_whatever_comes_each_incident_is_opened_once_and_ended_once(seen):
    found = [[symptom(each)] if each else [] for each in seen]
    story, left = looks(*found)
    words = [word for minute in story for word, _ in minute]
    opened, ended = words.count("open"), words.count("over")
    assert opened - ended == len(left.open("ticket") + left.open("page")) in {0, 1}
    assert words.count("worse") <= opened
    assert opened <= 1 + len(seen) // 10
    assert Incidents.model_validate_json(left.model_dump_json()) == left
