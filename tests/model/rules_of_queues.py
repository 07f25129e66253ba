"""Rule 20, about queues, switched off piece by piece."""

from __future__ import annotations

from tests.model.rules import SwitchedOff

_DELETE = "plugins/tidemark/operators/drain/delete_messages.py"
_DRAINED = "tests/operators/test_drain.py::test_rule_20_"

QUEUES = (
    SwitchedOff(
        20,
        "messages wait for every required ledger",
        _DELETE,
        "if not patient_holds(stream, name, batch):\n",
        "if False:\n",
        (f"{_DRAINED}a_load_that_was_marked_as_done_and_never_ran_is_found_out",),
    ),
    SwitchedOff(
        20,
        "after a partial delete the batch stays in flight",
        _DELETE,
        "        if kept:\n",
        "        if False:\n",
        (f"{_DRAINED}what_the_queue_did_not_delete_keeps_the_batch_in_flight",),
    ),
    SwitchedOff(
        20,
        "rows merge by the event's key",
        "plugins/tidemark/core/events/event_layouts.py",
        'return self.key or ("message_id" if self.layout == "declared" else KEY)',
        'return "message_id"',
        (f"{_DRAINED}events_are_in_both_warehouses_once_and_gone_from_the_queue",),
    ),
    SwitchedOff(
        20,
        "while a batch is in flight nothing new is received",
        "plugins/tidemark/core/storage/state.py",
        "    if state.in_flight or begins != (",
        "    if begins != (",
        (
            "tests/core/test_drains.py::test_rule_20_while_a_batch_is_in_flight_nothing_new_is_planned",
        ),
    ),
)
