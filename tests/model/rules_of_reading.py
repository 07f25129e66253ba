"""Rules about what is read, staged and committed, switched off one by one."""

from __future__ import annotations

from tests.model.rules import SwitchedOff

_CORE, _HOOKS = "plugins/tidemark/core/", "plugins/tidemark/hooks/"
_OPERATORS = "plugins/tidemark/operators/"
_STATE, _WINDOWS = "tests/core/test_state.py::", "tests/core/test_windows.py::"
_WINDOW, _OVERTAKEN = "tests/operators/test_one_window.py::", "tests/operators/test_overtaken.py::"
_STALLED = f"{_OVERTAKEN}test_rule_1_what_a_stalled_extraction_still_writes_does_not_count"

READING = (
    SwitchedOff(
        1,
        "the first receipt and the first manifest win",
        f"{_HOOKS}storage/staging_bucket.py",
        'return self._put_if(key, data, IfNoneMatch="*")',
        "return self._put_if(key, data)",
        (f"{_STALLED}[the receipt]",),
    ),
    SwitchedOff(
        1,
        "every attempt writes files of its own",
        f"{_HOOKS}storage/batch_store.py",
        "part-{chunk}-{part}-{attempt}.parquet",
        "part-{chunk}-{part}-once.parquet",
        (f"{_STALLED}[a file]",),
    ),
    SwitchedOff(
        2,
        "seal needs a receipt of every chunk",
        f"{_OPERATORS}sync/seal.py",
        "    if missing:\n",
        "    plan = plan.model_copy(update={'chunks': tuple(\n"
        "        c for c, r in zip(plan.chunks, receipts) if r)})\n"
        "    if not plan.chunks:\n",
        (
            "tests/faults/test_f2_by_hand.py::"
            "test_f2_success_is_marked_on_a_chunk_that_was_never_read",
        ),
    ),
    SwitchedOff(
        2,
        "receipts that do not cover the plan make no batch",
        f"{_CORE}storage/batches.py",
        "if sorted(receipt.chunk for receipt in receipts) != [c.number for c in plan.chunks]:",
        "if not receipts:",
        ("tests/core/test_batches.py::test_rule_2_seal_needs_the_receipt_of_every_planned_chunk",),
    ),
    SwitchedOff(
        8,
        "commit is a compare",
        f"{_CORE}storage/committing.py",
        '        return "already committed"\n    return "superseded"',
        '        return "commit"\n    return "commit"',
        (f"{_STATE}test_rule_8_commit_acts_only_if_id_epoch_and_watermark_match",),
    ),
    SwitchedOff(
        8,
        "a plan from an older document is not recorded",
        f"{_CORE}storage/state.py",
        "if state.in_flight or begins != (state.watermark, state.epoch, state.key_mark):",
        "if state.in_flight:",
        (f"{_STATE}test_rule_8_a_plan_made_from_an_older_document_is_not_recorded",),
    ),
    SwitchedOff(
        8,
        "the state document is written by compare-and-set",
        f"{_HOOKS}storage/staging_bucket.py",
        "return self._put_if(key, data, IfMatch=etag)",
        "return self._put_if(key, data)",
        (f"{_OVERTAKEN}test_rule_8_a_commit_that_stalled_loses",),
    ),
    SwitchedOff(
        8,
        "the batch says its kind, not the run",
        f"{_OPERATORS}sync/commit.py",
        'if batch.plan.kind == "backfill":',
        'if context["dag_run"].run_type == "backfill":',
        (f"{_WINDOW}test_rule_8_what_a_batch_is_says_the_batch_and_not_the_run",),
    ),
    SwitchedOff(
        9,
        "commit refuses a batch without manifest",
        f"{_OPERATORS}sync/commit.py",
        "if stream.plan(stream.state(), batch_id) is None:\n",
        "if True:\n",
        (f"{_WINDOW}test_rule_9_a_batch_that_was_never_sealed_is_not_committed",),
    ),
    SwitchedOff(
        9,
        "a resync never enters debt",
        f"{_CORE}storage/committing.py",
        "    if batch.plan.only:\n",
        "    if False:\n",
        ("tests/core/test_bases.py::test_rule_9_a_resync_never_enters_debt",),
    ),
    SwitchedOff(
        10,
        "a window that ends at the horizon is read to its open end",
        f"{_OPERATORS}sync/plan.py",
        "at_horizon=window.high == seen.bound.at)",
        "at_horizon=False)",
        (f"{_WINDOW}test_rule_10_a_row_that_never_rests_is_copied",),
    ),
    SwitchedOff(
        10,
        "the last chunk has no upper end",
        f"{_CORE}source/windows.py",
        "highs = [*cuts, None if open_end else window.high]",
        "highs = [*cuts, window.high]",
        (f"{_WINDOWS}test_rule_10_a_window_that_ends_at_the_horizon_is_read_to_its_open_end",),
    ),
    SwitchedOff(
        10,
        "rows that never rest are looked for beyond the horizon",
        f"{_OPERATORS}sync/plan.py",
        "    if window.high != bound.at:\n",
        "    if True:\n",
        (f"{_WINDOW}test_rule_10_a_row_that_never_rests_is_copied_where_nothing_else_changes",),
    ),
    SwitchedOff(
        11,
        "a backfill ends at the horizon",
        f"{_OPERATORS}sync/plan.py",
        "min(asked_for.high, seen.bound.at)",
        "asked_for.high",
        (f"{_WINDOW}test_rule_11_a_backfill_ends_at_the_horizon",),
    ),
    SwitchedOff(
        18,
        "a backfill beside a batch in flight does not adopt it",
        f"{_OPERATORS}sync/plan.py",
        "        if run.window:\n",
        "        if run.window and not state.in_flight:\n",
        (f"{_WINDOW}test_rule_18_a_backfill_beside_a_batch_in_flight_is_owed_and_moves_nothing",),
    ),
    SwitchedOff(
        18,
        "a backfill enters debt",
        f"{_OPERATORS}sync/commit.py",
        "return with_debt(state, batch.batch_id, self._owed_by(stream, state, batch))",
        "return state",
        (f"{_WINDOW}test_rule_18_a_backfill_beside_a_batch_in_flight_is_owed_and_moves_nothing",),
    ),
    SwitchedOff(
        18,
        "a backfill's id carries the clear epoch of its plan",
        f"{_CORE}storage/batches.py",
        'return f"{slug}_{digest}-c{clear_epoch}"',
        'return f"{slug}_{digest}-c0"',
        (
            "tests/core/test_batches.py::"
            "test_rule_18_backfill_ids_are_run_and_clear_epoch_in_a_space_of_their_own",
        ),
    ),
    SwitchedOff(
        19,
        "the horizon stays below open transactions",
        f"{_CORE}source/windows.py",
        "(oldest.age if oldest else timedelta())",
        "timedelta()",
        (f"{_WINDOWS}test_rule_19_horizon_lies_below_the_oldest_writer_and_the_safety_lag",),
    ),
    SwitchedOff(
        19,
        "a horizon below the watermark is nothing new",
        f"{_CORE}source/windows.py",
        "return self.low is not None and self.high <= self.low",
        "return self.low is not None and self.high == self.low",
        (
            f"{_WINDOWS}"
            "test_rule_19_a_horizon_below_the_watermark_is_an_empty_window_and_no_step_back",
        ),
    ),
    SwitchedOff(
        19,
        "key ranges are open at both ends",
        f"{_CORE}source/windows.py",
        "    lows: list[Key | None] = [None, *cuts]\n    highs: list[Key | None] = [*cuts, None]\n",
        "    lows: list[Key | None] = [*cuts]\n    highs: list[Key | None] = [*cuts[1:], None]\n",
        (f"{_WINDOWS}test_rule_19_chunks_by_key_read_every_row_once_even_beyond_the_keys_seen",),
    ),
    SwitchedOff(
        21,
        "a batch that is neither in flight nor committed is superseded",
        f"{_CORE}storage/state.py",
        "return name.epoch == state.epoch and reached(state, name.window.high)",
        "return True",
        (f"{_STATE}test_rule_21_a_batch_neither_in_flight_nor_committed_is_superseded",),
    ),
    SwitchedOff(
        21,
        "a load means everything owed, then its own",
        f"{_CORE}storage/state.py",
        "batches = [*owed, *mine]",
        "batches = [*mine, *owed]",
        (f"{_STATE}test_rule_21_a_load_means_everything_owed_then_its_own",),
    ),
    SwitchedOff(
        22,
        "a missing document is not a first run",
        f"{_OPERATORS}sync/document.py",
        "        _refuse_lost(stream)\n",
        "",
        (
            "tests/operators/test_no_row_skipped.py::test_rule_22_a_missing_document_is_not_a_first_run",
        ),
    ),
    SwitchedOff(
        22,
        "a recovered document's epoch is above every ledger's",
        f"{_CORE}storage/recovery.py",
        "epoch=max(epochs, default=0) + 1",
        "epoch=1",
        (f"{_STATE}test_rule_22_a_recovered_document_gets_an_epoch_above_every_ledger",),
    ),
)
