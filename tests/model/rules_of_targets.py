"""Rules about what targets hold, owe and load, switched off one by one."""

from __future__ import annotations

from tests.model.rules import SwitchedOff

_CORE, _OPERATORS = "plugins/tidemark/core/", "plugins/tidemark/operators/"
_LOAD, _SWAP = "include/sql/load_batch.sql", "include/sql/swap_batch.sql"
_MERGING, _STRAIGHT = "include/sql/merging.sql", "include/sql/load_straight.sql"
_BASES, _ROLES = "tests/core/test_bases.py::", "tests/core/test_roles.py::"
_STATE, _RETENTION = "tests/core/test_state.py::", "tests/core/test_retention.py::"
_SQL, _LOADED = "tests/core/test_statements.py::", "tests/conformance/test_loading.py::"
_SWAPPED = "tests/operators/test_bases.py::"
_DELETED = f"{_SWAPPED}test_rule_4_what_repair_deleted_does_not_rise_again"
_AWAY = "tests/faults/test_f4_secondary_down.py::test_f4_the_secondary_is_away_for_one_run"

TARGETS = (
    SwitchedOff(
        3,
        "a swap carries newer rows over",
        _SWAP,
        "{% if key and carried %}\nINSERT INTO {{ new }} ({{ carried",
        "{% if false %}\nINSERT INTO {{ new }} ({{ carried",
        (f"{_SWAPPED}test_rule_3_a_base_that_is_applied_late_carries_newer_rows_over",),
    ),
    SwitchedOff(
        3,
        "a base older than the newest changes nothing",
        f"{_CORE}loading/ledger.py",
        "return newest is not None and read_from <= newest.read_from",
        "return False",
        (f"{_SWAPPED}test_rule_3_a_base_older_than_the_newest_is_recorded_and_changes_nothing",),
    ),
    SwitchedOff(
        3,
        "a base comes before any other owed batch",
        f"{_CORE}storage/state.py",
        "    return [*bases, *(batch_id for batch_id in batches if not is_base(batch_id))]\n",
        "    return batches\n",
        (f"{_BASES}test_rule_3_a_base_is_loaded_first_and_of_several_the_newest_stays_owed",),
    ),
    SwitchedOff(
        4,
        "a merge drops what was deleted after its batch was read",
        _LOAD,
        "WHERE {{ same_key(tombstones, stage) }}\n",
        "WHERE 1 = 0 AND {{ same_key(tombstones, stage) }}\n",
        (_DELETED,),
    ),
    SwitchedOff(
        4,
        "a swap drops what was deleted after its base was read",
        _SWAP,
        "WHERE {{ same_key(tombstones, stage) }}\n",
        "WHERE 1 = 0 AND {{ same_key(tombstones, stage) }}\n",
        (_DELETED,),
    ),
    SwitchedOff(
        4,
        "nothing goes straight past what was deleted after its batch was read",
        _STRAIGHT,
        '    WHERE "_read_at" >= CAST',
        '    WHERE 1 = 0 AND "_read_at" >= CAST',
        (
            "tests/conformance/test_straight.py::"
            "test_rule_4_nothing_goes_straight_past_a_later_deletion[redshift SNAPSHOT]",
        ),
    ),
    SwitchedOff(
        5,
        "the watermark waits for every required ledger",
        f"{_OPERATORS}sync/commit.py",
        "if not patient_holds(stream, name, batch):\n",
        "if False:\n",
        ("tests/faults/test_f2_by_hand.py::test_f2_success_is_marked_on_a_load_that_never_ran",),
    ),
    SwitchedOff(
        5,
        "a required target owes nothing",
        f"{_CORE}storage/committing.py",
        "        if target.debt:\n",
        "        if False:\n",
        (f"{_ROLES}test_a_required_target_that_is_new_or_in_debt_stops_the_commit",),
    ),
    SwitchedOff(
        5,
        "who owes cannot be promoted",
        f"{_CORE}loading/roles.py",
        "    if why:\n",
        "    if False:\n",
        (f"{_ROLES}test_rule_5_promote_needs_a_target_that_is_enabled_whole_and_owes_nothing",),
    ),
    SwitchedOff(
        5,
        "the required set is never empty",
        f"{_CORE}loading/roles.py",
        "    if state.required == (name,):\n",
        "    if False:\n",
        (f"{_ROLES}test_rule_5_the_required_set_is_never_empty_and_never_disabled",),
    ),
    SwitchedOff(
        5,
        "configuration that disagrees with the document stops the run",
        f"{_OPERATORS}sync/document.py",
        "    refuse_disagreement(state, configured)\n",
        "",
        (
            "tests/operators/test_roles.py::"
            "test_rule_5_roles_change_by_command_when_nothing_is_owed",
        ),
    ),
    SwitchedOff(
        6,
        "a new target loads nothing before its base",
        f"{_CORE}storage/state.py",
        'if known and known.status == "new" and not (bases and bases[0] in known.awaits):',
        "if False:",
        (
            f"{_BASES}test_rule_6_a_new_target_owes_what_is_committed_after_its_base_was_planned",
            f"{_BASES}test_rule_6_a_base_planned_before_the_debt_was_dropped_makes_nobody_whole",
        ),
    ),
    SwitchedOff(
        6,
        "what is committed after its base was planned is a new target's debt",
        f"{_CORE}storage/state.py",
        '(target.status != "new" or target.awaits)',
        'target.status != "new"',
        (f"{_BASES}test_rule_6_a_new_target_owes_what_is_committed_after_its_base_was_planned",),
    ),
    SwitchedOff(
        6,
        "a target whose debt retention drops becomes new",
        f"{_CORE}storage/retention.py",
        "        name: as_new(target, state.table_name)\n",
        "        name: target\n",
        (f"{_RETENTION}test_rule_6_what_a_disabled_target_owes_is_dropped_after_it_was_set_new",),
    ),
    SwitchedOff(
        7,
        "replan raises the epoch",
        f"{_CORE}storage/recovery.py",
        "state.epoch + 1",
        "state.epoch",
        (f"{_STATE}test_rule_7_replanning_keeps_the_watermark_and_makes_a_new_batch",),
    ),
    SwitchedOff(
        7,
        "a full refresh drops the batch in flight",
        f"{_CORE}loading/bases.py",
        'update |= {"epoch": plan.epoch, "in_flight": None}',
        'update |= {"epoch": plan.epoch}',
        (f"{_BASES}test_rule_7_a_full_refresh_raises_the_epoch_and_drops_the_batch_in_flight",),
    ),
    SwitchedOff(
        7,
        "nothing is applied past a schema that an owed batch needs",
        f"{_CORE}loading/catch_up.py",
        "        if needed - {columns(first)}:\n",
        "        if False:\n",
        (
            "tests/core/test_catch_up.py::"
            "test_rule_7_nothing_is_applied_past_a_schema_that_an_owed_batch_needs",
        ),
    ),
    SwitchedOff(
        11,
        "an older version never overwrites a newer one",
        _LOAD,
        "{%- if not only_added %}",
        "{%- if false %}",
        (f"{_LOADED}test_newest_wins_in_any_order[redshift SNAPSHOT]",),
    ),
    SwitchedOff(
        11,
        "on equal cursors the later reading wins",
        _MERGING,
        """AND {{ left }}."_read_at" > {{ right }}."_read_at")""",
        """AND {{ left }}."_read_at" < {{ right }}."_read_at")""",
        (f"{_LOADED}test_newest_wins_in_any_order[redshift SNAPSHOT]",),
    ),
    SwitchedOff(
        12,
        "one row per key in the stage",
        _LOAD,
        "WHERE tidemark_rank = 1",
        "WHERE tidemark_rank >= 1",
        (f"{_LOADED}test_of_several_versions_in_a_batch_the_newest_counts[redshift SNAPSHOT]",),
    ),
    SwitchedOff(
        13,
        "append replaces",
        _LOAD,
        "WHERE {{ same_key(target, stage) }}\n{%- if",
        "WHERE {{ 0 if only_added else 1 }} = 1 AND {{ same_key(target, stage) }}\n{%- if",
        (f"{_SQL}test_rule_13_rows_that_are_only_added_replace_themselves_and_are_not_compared",),
    ),
    SwitchedOff(
        14,
        "a load locks first",
        _MERGING,
        "LOCK TABLE {{ ledger }};\n",
        "SELECT 1;\n",
        (f"{_SQL}test_rule_14_the_first_statement_locks_the_ledger[redshift-load]",),
    ),
    SwitchedOff(
        14,
        "a swap locks first",
        _MERGING,
        "LOCK TABLE {{ ledger }} IN EXCLUSIVE MODE;\n",
        "SELECT 1;\n",
        (f"{_SQL}test_rule_14_the_first_statement_locks_the_ledger[postgres-swap]",),
    ),
    SwitchedOff(
        15,
        "the debt of an idle table is paid",
        f"{_OPERATORS}sync/plan.py",
        "self._skip_later(context, owing_targets(stream.state()))",
        "self._skip_later(context, set[str]())",
        (_AWAY,),
    ),
    SwitchedOff(
        15,
        "an empty batch skips COPY",
        _MERGING,
        '{% if manifest_url and dialect == "redshift" %}',
        '{% if dialect == "redshift" %}',
        (f"{_SQL}test_rule_15_an_empty_batch_skips_copy_but_writes_its_ledger_row",),
    ),
    SwitchedOff(
        16,
        "what the ledger lists is not looked for in the bucket",
        f"{_OPERATORS}loading/sequence.py",
        "[each for each in todo if each not in held and each not in self.so_far.passed]",
        "[each for each in todo if each not in self.so_far.passed]",
        (
            "tests/operators/test_sweeping.py::"
            "test_rule_16_what_all_hold_is_deleted_and_a_cleared_load_needs_no_file",
        ),
    ),
    SwitchedOff(
        16,
        "a batch in flight is kept",
        f"{_CORE}storage/retention.py",
        '        return "it is in flight"\n',
        '        return ""\n',
        (f"{_RETENTION}test_rule_16_a_batch_in_flight_or_owed_is_kept",),
    ),
    SwitchedOff(
        17,
        "who cannot be asked owes",
        f"{_OPERATORS}loading/holding.py",
        "batch.batch_id, error)\n        return False",
        "batch.batch_id, error)\n        return True",
        (_AWAY,),
    ),
    SwitchedOff(
        17,
        "for retention, no answer means keep",
        f"{_CORE}storage/retention.py",
        '            return f"{target} cannot be asked"\n',
        "            continue\n",
        (f"{_RETENTION}test_rule_17_no_answer_means_keep",),
    ),
    SwitchedOff(
        23,
        "a restored warehouse is noticed",
        f"{_OPERATORS}loading/sequence.py",
        "if restored(state, self.target.name, entries):\n",
        "if False:\n",
        (f"{_SWAPPED}test_rule_23_a_restored_warehouse_is_noticed",),
    ),
    SwitchedOff(
        24,
        "as-of is the low of the oldest owed increment",
        f"{_CORE}storage/state.py",
        "    oldest = min((low for low in lows if low is not None), default=complete)",
        "    oldest = complete",
        (f"{_STATE}test_rule_24_as_of_is_the_low_of_the_oldest_owed_increment_else_the_watermark",),
    ),
    SwitchedOff(
        24,
        "an empty window moves only those without debt",
        f"{_CORE}storage/state.py",
        "    if None in lows:\n        return None\n",
        "",
        (f"{_STATE}test_rule_24_an_empty_window_moves_the_as_of_of_targets_without_debt_only",),
    ),
)
