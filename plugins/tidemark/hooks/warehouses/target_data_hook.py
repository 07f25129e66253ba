"""The Amazon provider's hook for the Data API, as one target is reached."""

from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_data import RedshiftDataHook
from botocore.config import Config

from tidemark.core.settings.targets import RedshiftTarget
from tidemark.hooks.aws_sessions import LeanSessions
from tidemark.hooks.warehouses.warehouse import Patience


class TargetDataHook(LeanSessions, RedshiftDataHook):
    """The provider's hook, with a target's region and, where it has one, its own endpoint."""

    def __init__(self, target: RedshiftTarget, patience: Patience) -> None:
        config = Config(
            connect_timeout=min(10, patience.seconds),
            read_timeout=patience.seconds,
            retries={"total_max_attempts": patience.attempts, "mode": "standard"},
        )
        super().__init__(
            aws_conn_id=target.aws_conn_id,
            region_name=target.region,
            verify=target.verify,
            config=config,
        )
        self._endpoint_url = target.endpoint_url

    @cached_property
    def conn_config(self) -> Any:
        """The connection's settings, with the target's endpoint laid over them."""
        settings = super().conn_config
        if self._endpoint_url:
            service = {**settings.get_service_config("redshift-data")}
            service["endpoint_url"] = self._endpoint_url
            settings.service_config = {**settings.service_config, "redshift-data": service}
        return settings
