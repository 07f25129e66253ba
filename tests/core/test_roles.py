"""Roles decide what the watermark waits for: changed at a wrong moment, rows are lost."""

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.roles import (
    demoted,
    forgotten,
    promoted,
    refuse_disagreement,
    with_new,
    with_targets,
)
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import backfill_id
from tidemark.core.storage.committing import unfit_required, with_commit
from tidemark.core.storage.state import first_state, with_debt, with_load, with_plan

from tests.core.values import HIGH, LOW, a_batch, a_plan


def target(name, role="best_effort", **settings):
    cluster = {"cluster_identifier": name, "db_user": "u", "database": "d", "iam_role": "r"}
    return RedshiftTarget(name=name, role=role, region="us-east-1", **cluster, **settings)


PRIMARY, SECONDARY, THIRD = target("primary", "required"), target("secondary"), target("third")
BOTH = [PRIMARY, SECONDARY]


def committed(owed_by=()):
    fresh = first_state("shop.orders", {t.name: t.role for t in BOTH}, LOW)
    batch = a_batch(low=None, high=LOW)
    return with_commit(with_plan(fresh, batch.plan), batch, owed_by)


def test_rule_6_a_target_starts_with_the_table_or_is_new_and_best_effort_until_promoted():
    fresh = first_state("shop.orders", {"primary": "required"}, LOW)
    assert with_targets(fresh, [PRIMARY, SECONDARY]).targets["secondary"].status == "complete"
    added = with_targets(committed(), [*BOTH, target("third", "required")])
    assert (added.targets["third"].status, added.targets["third"].role) == ("new", "best_effort")
    assert added.required == ("primary",)
    owing = with_debt(added, a_plan().batch_id, ["third"])
    assert owing.targets["third"].debt == (), "it needs its base, and owes nothing until then"


def test_rule_5_a_disagreement_about_roles_stops_with_the_command_to_type():
    state = committed()
    refuse_disagreement(state, BOTH)
    with pytest.raises(FixConfiguration, match=r"Run: python -m tidemark promote secondary"):
        refuse_disagreement(state, [PRIMARY, target("secondary", "required")])
    with pytest.raises(FixConfiguration, match=r"tidemark demote primary -t shop\.orders"):
        refuse_disagreement(state, [target("primary"), SECONDARY])
    with pytest.raises(FixConfiguration, match="no longer configured"):
        refuse_disagreement(state, [SECONDARY])
    wanted = [*BOTH, target("third", "required")]
    with pytest.raises(FixConfiguration, match=r"mode: resync, targets: \[third\]"):
        refuse_disagreement(with_targets(state, wanted), wanted)


def test_rule_5_promote_needs_a_target_that_is_enabled_whole_and_owes_nothing():
    state = committed()
    assert promoted(state, "secondary").required == ("primary", "secondary")
    disabled = with_targets(state, [PRIMARY, target("secondary", enabled=False)])
    for unfit, why in (
        (committed(owed_by=["secondary"]), "owes"),
        (with_new(state, "secondary"), "new"),
        (disabled, "disabled"),
    ):
        with pytest.raises(FixConfiguration, match=why):
            promoted(unfit, "secondary")
    with pytest.raises(FixConfiguration, match="knows no target"):
        promoted(state, "fourth")


def test_rule_5_the_required_set_is_never_empty_and_never_disabled():
    state = committed()
    with pytest.raises(FixConfiguration, match="only required"):
        demoted(state, "primary")
    both = promoted(state, "secondary")
    assert demoted(both, "primary").required == ("secondary",)
    off = with_targets(both, [PRIMARY, target("secondary", enabled=False)])
    assert off.targets["secondary"].enabled, "disabling goes by way of demote"


def test_a_disabled_target_catches_up_or_skips_as_configured():
    state = committed()
    for choice, status in (("catch_up", "complete"), ("skip", "new")):
        off = with_targets(state, [PRIMARY, target("secondary", enabled=False, on_disable=choice)])
        assert (off.targets["secondary"].enabled, off.targets["secondary"].status) == (
            False,
            status,
        )
        owing = with_debt(off, a_plan().batch_id, ["secondary"])
        assert len(owing.targets["secondary"].debt) == (1 if choice == "catch_up" else 0)
        back = with_targets(owing, BOTH)
        assert back.targets["secondary"].enabled
        assert back.targets["secondary"].debt == owing.targets["secondary"].debt


def test_a_required_target_that_is_new_or_in_debt_stops_the_commit():
    plan = a_plan()
    assert unfit_required(committed(), plan) is None
    assert "primary is new" in unfit_required(with_new(committed(), "primary"), plan)[0]
    owed = backfill_id("r", 0, Window(LOW, HIGH))
    assert "primary owes bf-" in unfit_required(with_debt(committed(), owed, ["primary"]), plan)[0]


def test_a_target_that_is_configured_no_longer_pins_nothing_and_comes_back_with_its_debt():
    state = committed(owed_by=["secondary"])
    gone = with_targets(state, [PRIMARY])
    assert not gone.targets["secondary"].enabled
    assert gone.targets["secondary"].debt == state.targets["secondary"].debt
    assert with_targets(gone, BOTH) == state
    assert with_targets(state, [SECONDARY]).targets["primary"].enabled, "it is required"


def test_a_target_is_forgotten_once_nothing_waits_for_it_and_no_file_names_it():
    state = committed(owed_by=["secondary"])
    gone = forgotten(state, "secondary", [PRIMARY])
    assert list(gone.targets) == ["primary"]
    late = with_load(gone, "secondary", [], rows={}, loaded_at=HIGH, mirror=False)
    assert late == gone, "a load that was under way brings it back"
    with pytest.raises(FixConfiguration, match="names it"):
        forgotten(state, "secondary", BOTH)
    with pytest.raises(FixConfiguration, match="tidemark demote primary"):
        forgotten(state, "primary", [SECONDARY])
