"""How SQS is reached: where, as whom, and whom to believe that it is SQS."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.sqs import SqsHook
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path

from tidemark.hooks.aws_sessions import LeanSessions


@dataclass(frozen=True)
class QueueAccess:
    """What botocore's client goes by.

    :param endpoint: URL of the service
    :param credentials: renewed by themselves where they end
    :param authorities: file of the certificates that vouch for SQS; None: nobody needs to
    :param user_agent: what SQS is told of us
    """

    endpoint: str
    region: str
    credentials: Credentials
    authorities: str | None
    user_agent: str


class QueueHook(LeanSessions, SqsHook):
    """The provider's hook for SQS, with one session for all it does."""

    @cached_property
    def access(self) -> QueueAccess:
        """How its client reaches SQS. Raises NoCredentialsError."""
        client, session = self.conn, self._session
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return QueueAccess(
            endpoint=client.meta.endpoint_url,
            region=client.meta.region_name,
            credentials=credentials,
            authorities=self._authorities(),
            user_agent=client.meta.config.user_agent,
        )

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Any:  # noqa: ARG002
        """Return always the same: a second one would ask for the role's credentials again."""
        return self._session

    @cached_property
    def _session(self) -> Any:
        return super().get_session(region_name=self.region_name)

    def _authorities(self) -> str | None:
        """As botocore finds them: it tells nobody what it has found."""
        verify = self.verify
        if verify is None:
            verify = self._session._session.get_config_variable("ca_bundle")
        if verify is None:
            verify = os.environ.get("REQUESTS_CA_BUNDLE", True)
        return get_cert_path(verify) or None
