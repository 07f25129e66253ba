"""Whether a target may be spoken to now: times without operation, and its circuit breaker."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.breaker import after_failure, after_success, condition, told
from tidemark.core.loading.catch_up import PassedOver
from tidemark.core.loading.failures import after_failed
from tidemark.core.loading.roles import with_outcome
from tidemark.core.settings.quiet_times import quiet_until
from tidemark.core.settings.targets import Target
from tidemark.core.storage.state import TableState, TargetState
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)


class NothingToLoad(Exception):
    """There is nothing for this load to do; the text says why. The task is skipped."""


class NotNow(Exception):
    """A required target must be left alone until then: the load waits."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the target is left alone until {until} (no_operation)")
        self.until = until


class Admission:
    """The gate before one target's load.

    :param known: what the state document says of the target
    :param now: by our clock
    """

    def __init__(self, stream: Stream, target: Target, known: TargetState, now: datetime) -> None:
        self._stream, self._target, self._known, self._now = stream, target, known, now

    def ask(self, *, by_hand: bool) -> None:
        """Return if the target may be loaded now.

        :param by_hand: whether a person asks for it: then an open breaker lets one probe through
        Raises `NothingToLoad` with the reason, or `NotNow` where the watermark waits for the load.
        """
        self._refuse_quiet(self._now)
        target, required = self._target, self._known.role == "required"
        breaker, limits = self._known.breaker, target.breaker_limits
        standing = condition(breaker, limits, self._now)
        if required or standing == "closed":
            return
        if standing == "open" and not by_hand:
            raise NothingToLoad(
                f"the circuit breaker of {target.name} is open: {told(breaker, limits)}"
            )
        _log.info("%s: a probe, after %s failures", target.name, breaker.failures)

    def must_stop(self, now: datetime) -> bool:
        """Return whether no more transactions may be begun: by now the target must be left alone.

        Raises `NotNow` where the watermark waits for the load.
        """
        until = self._quiet_until(now)
        if until:
            _log.warning(
                "%s: no_operation in targets.yaml, until %s: the rest stays owed",
                self._target.name,
                until,
            )
        return until is not None

    def ask_again(self) -> None:
        """Return if a load that is under way may ask the target more. Raises like `ask`."""
        self._refuse_quiet(datetime.now(UTC))

    def _refuse_quiet(self, now: datetime) -> None:
        if until := self._quiet_until(now):
            raise NothingToLoad(f"{self._target.name}: no_operation in targets.yaml, until {until}")

    def _quiet_until(self, now: datetime) -> datetime | None:
        until = quiet_until(self._target.no_operation, now)
        if until and self._known.role == "required":
            raise NotNow(until)
        return until

    def succeeded(self) -> None:
        """Close the breaker, and forget the failures."""
        if self._known.breaker.failures or self._known.failure:
            name = self._target.name
            self._update(lambda state: with_outcome(state, name, after_success(), None))

    def failed(self, error: TidemarkError, run_id: str) -> None:
        """Count a failed load, after whatever others have noted since this one began. One that
        only passed batches over shows that the target works, and a required target has no breaker.
        """

        def change(state: TableState) -> TableState:
            known = state.targets.get(self._target.name, self._known)
            failure = after_failed(known.failure, error, run_id, self._now)
            breaker = after_success()
            if known.role != "required" and not isinstance(error, PassedOver):
                breaker = after_failure(known.breaker, self._now, error.what)
            return with_outcome(state, self._target.name, breaker, failure)

        try:
            self._update(change)
        except TidemarkError as trouble:  # what failed matters more than that it is not counted
            _log.warning("The failure could not be counted: %s", trouble)

    def _update(self, change: Callable[[TableState], TableState]) -> None:
        self._stream.states.update(self._stream.table.name, self._now, change)
