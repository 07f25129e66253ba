"""Say which targets are configured no longer, and how to be rid of them."""

import logging

from tidemark.core.loading.roles import left_out
from tidemark.core.settings.target_list import Targets
from tidemark.core.storage.state import TableState

_log = logging.getLogger(__name__)


def tell_left_out(state: TableState, targets: Targets) -> None:
    """Warn, at every plan, of each target that only the document still knows.

    :param targets: those that the stream goes to, by the files
    """
    for name in left_out(state, targets.by_name.values()):
        _log.warning(
            "%s is configured no longer, so it is not loaded; its debt is kept for %g days in case "
            "it comes back. If it does not: python -m tidemark targets forget %s -t %s",
            name,
            targets.staging.keep_days,
            name,
            state.table_name,
        )
