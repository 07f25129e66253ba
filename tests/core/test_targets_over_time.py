"""Random histories of targets against their ledgers: debt must be exact, whatever happens when.

The documents change by the very functions that the operators use; the ledgers, the batches and the
clock are a few sets in memory. A history that breaks a promise is shrunk to its shortest form.
"""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.bases import refresh_epoch, restored, with_base_plan, with_restored
from tidemark.core.loading.ledger import LedgerEntry, holds, newest_base, superseded
from tidemark.core.loading.roles import demoted, promoted, with_targets
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import Batch, backfill_id, is_base, seal
from tidemark.core.storage.committing import (
    judge_commit,
    unfit_required,
    with_base_commit,
    with_commit,
)
from tidemark.core.storage.recovery import replanned
from tidemark.core.storage.retention import decide, still_droppable, with_dropped
from tidemark.core.storage.state import first_state, to_load, with_debt, with_load, with_plan

from tests.core.values import LOW, a_base, a_plan, a_receipt

MINUTE = timedelta(minutes=1)
NAMES = ("primary", "secondary", "third")
names = st.sampled_from(NAMES)


def configured(name, *, enabled=True, on_disable="catch_up"):
    return RedshiftTarget(
        name=name,
        role="required" if name == "primary" else "best_effort",
        region="us-east-1",
        cluster_identifier=name,
        database="d",
        db_user="u",
        iam_role="r",
        enabled=enabled,
        on_disable=on_disable,
    )


class Targets(RuleBasedStateMachine):
    """One table, three warehouses; the third is added when something is committed."""

    def __init__(self):
        super().__init__()
        self.now, self.runs = LOW, 0
        self.state = first_state("shop.orders", {"primary": "required"}, LOW)
        self.batches: dict[str, Batch] = {}
        self.files: set[str] = set()
        self.ledgers = {name: {} for name in NAMES}
        # Which committed batches' rows a target really has, by ledger or inside a base.
        self.has: dict[str, set[str]] = {name: set() for name in NAMES}
        self.committed: list[str] = []
        self.settings = {name: configured(name) for name in NAMES[:2]}
        self.state = with_targets(self.state, list(self.settings.values()))

    def tick(self):
        self.now += MINUTE
        return self.now

    def seal(self, plan):
        at = self.tick()
        receipt = a_receipt(plan, 0, read_at=at)
        batch = seal(plan, (receipt.model_copy(update={"read_from": at}),))
        self.batches[plan.batch_id] = batch
        self.files.add(plan.batch_id)
        return batch

    # -- runs

    @rule()
    def plan(self):
        if self.state.in_flight is None:
            plan = a_plan(low=self.state.watermark, high=self.tick(), epoch=self.state.epoch)
            self.state = with_plan(self.state, plan)
        if self.state.in_flight and self.state.in_flight.batch_id not in self.batches:
            self.seal(self.state.in_flight)

    @rule()
    def backfill(self):
        self.runs += 1
        window = Window(LOW - MINUTE, LOW)
        plan = a_plan(low=window.low, high=window.high).model_copy(
            update={"batch_id": backfill_id(f"run {self.runs}", 0, window), "kind": "backfill"}
        )
        self.seal(plan)

    @rule(only=st.sampled_from([(), ("primary",), ("secondary",), ("third",)]))
    def base(self, only):
        if any(name not in self.state.targets for name in only):
            return
        plan = a_base(high=self.tick(), epoch=refresh_epoch(self.state, only), only=only).plan
        self.state = with_base_plan(self.state, plan)
        self.seal(plan)

    @precondition(lambda self: self.batches)
    @rule(name=names, data=st.data())
    def load(self, name, data):
        target = self.state.targets.get(name)
        if target is None or not target.enabled:
            return
        own = data.draw(st.none() | st.sampled_from(sorted(self.batches)))
        if own and self.batches[own].plan.only and name not in self.batches[own].plan.only:
            own = None
        todo, ledger = to_load(self.state, name, own), self.ledgers[name]
        if not todo:
            return
        if restored(self.state, name, ledger):
            self.state = with_restored(self.state, name, self.state)
            return
        reach = data.draw(st.integers(0, len(todo)))  # it dies after so many
        for batch_id in todo[:reach]:
            needed = batch_id in self.files or not self.holds(name, batch_id)
            if batch_id not in ledger and needed:
                assert batch_id in self.files, f"{name} needs {batch_id}, and its files are gone"
                self.apply(name, self.batches[batch_id])
        held = [batch_id for batch_id in todo if self.holds(name, batch_id)]
        if held and data.draw(st.booleans()):  # or it dies before it reports
            base = newest_base(ledger.values())
            self.state = with_load(
                self.state, name, held, rows={}, loaded_at=self.now, mirror=False, base=base
            )

    def apply(self, name, batch):
        ledger = self.ledgers[name]
        kind = batch.plan.kind
        if kind == "base" and superseded(batch.read_from, ledger):
            kind = "superseded"
        elif kind == "base":
            self.has[name] |= {
                each for each, other in self.batches.items() if other.read_to <= batch.read_from
            }
        self.has[name].add(batch.batch_id)
        ledger[batch.batch_id] = LedgerEntry(
            batch.batch_id, kind, batch.read_from, 1, 1, 0, 0, self.now
        )

    def holds(self, name, batch_id):
        return holds(batch_id, self.batches[batch_id].read_to, self.ledgers[name])

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def commit(self, data):
        batch = self.batches[data.draw(st.sampled_from(sorted(self.files)))]
        plan = batch.plan
        if plan.only or unfit_required(self.state, plan):
            return
        if plan.kind == "increment" and judge_commit(self.state, plan) != "commit":
            return
        if not all(self.holds(name, plan.batch_id) for name in self.state.required):
            return
        silent = data.draw(st.sets(names))
        owed_by = [
            name
            for name, target in self.state.targets.items()
            if name not in self.state.required
            and (name in silent or not target.enabled or not self.holds(name, plan.batch_id))
        ]
        if plan.kind == "increment":
            self.state = with_commit(self.state, batch, owed_by)
        elif plan.kind == "base":
            self.state = with_base_commit(self.state, batch, owed_by, "incremental")
        else:
            self.state = with_debt(self.state, plan.batch_id, owed_by)
        if plan.batch_id not in self.committed and plan.kind != "base":
            self.committed.append(plan.batch_id)

    # -- operators, and what befalls them

    @precondition(lambda self: self.state.watermark)  # before, its first load is its base
    @rule()
    def add_third(self):
        self.settings.setdefault("third", configured("third"))
        self.state = with_targets(self.state, list(self.settings.values()))

    @rule(name=st.sampled_from(NAMES[1:]), choice=st.sampled_from(["catch_up", "skip"]))
    def switch(self, name, choice):
        if name in self.settings:
            enabled = not self.settings[name].enabled
            self.settings[name] = configured(name, enabled=enabled, on_disable=choice)
            self.state = with_targets(self.state, list(self.settings.values()))

    @rule(name=names, up=st.booleans())
    def change_role(self, name, up):
        try:
            if up and name in self.state.targets and restored(self.state, name, self.ledgers[name]):
                return
            self.state = (promoted if up else demoted)(self.state, name)
        except FixConfiguration:
            return

    @rule()
    def replan(self):
        self.state = replanned(self.state)

    @rule(really_old=st.booleans())
    def retention(self, really_old):
        if not really_old:
            return
        ledgers = {
            name: self.ledgers[name]
            for name, target in self.state.targets.items()
            if target.enabled
        }
        sweep = decide(self.state, sorted(self.files), ledgers, self.batches.__getitem__)
        self.state = with_dropped(self.state, sweep.set_new, sweep.drop)
        dropped = still_droppable(self.state, sweep.drop)
        self.files -= set(dropped)
        for batch_id in dropped:
            if batch_id not in self.committed:
                self.batches.pop(batch_id)  # and nobody clears so old a run

    # -- what must hold at any time

    @invariant()
    def debt_is_exact(self):
        for name, target in self.state.targets.items():
            lacking = [each for each in self.committed if each not in self.has[name]]
            if target.status != "new":
                assert set(lacking) <= set(target.debt), f"{name} lacks {lacking} and does not owe"

    @invariant()
    def nobody_waits_for_a_target_that_lacks_anything(self):
        for name in self.state.required:
            target = self.state.targets[name]
            assert target.enabled
            if target.status != "new" and not target.debt:
                assert set(self.committed) <= self.has[name]

    @invariant()
    def an_enabled_target_can_pay(self):
        for name, target in self.state.targets.items():
            if target.enabled:
                gone = [each for each in target.debt if each not in self.files]
                assert not gone, f"{name} owes {gone}, whose files are gone"

    @invariant()
    def of_several_owed_bases_one_is_left(self):
        assert all(sum(map(is_base, t.debt)) <= 1 for t in self.state.targets.values())
        assert self.state.required


TestTargets = Targets.TestCase
TestTargets.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
