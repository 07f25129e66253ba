"""Sessions of the Amazon provider's hooks, without the work that each would do anew."""

from functools import cache
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.loaders import Loader, create_loader
from botocore.session import Session


class LeanSessions(AwsGenericHook[Any]):
    """Mixed into a provider's hook, it halves the processor time until the first call.

    A task asks for a few clients and ends, so what a client costs is much of what a task costs.
    """

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Any:
        """Return the provider's session, on the service models that this process has read."""
        session = super().get_session(region_name=region_name, deferrable=deferrable)
        core = getattr(session, "_session", session)  # boto3 wraps botocore's
        core.register_component("data_loader", _models(core.get_config_variable("data_path")))
        return session

    def _get_caller(self, target_function_name: str = "execute") -> str:  # noqa: ARG002
        """Name us in the user agent; the provider would look through all modules for the task."""
        return "Tidemark"


def read_models(*services: str) -> None:
    """Read what clients of these services need, once for all processes that are forked from this
    one. No connection is opened."""
    session = Session()
    session.register_component("data_loader", _models(session.get_config_variable("data_path")))
    for service in services:
        session.create_client(
            service,
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106
        )


@cache
def _models(path: str | None) -> Loader:
    """The files of a botocore never change; a session of its own reads them from the start."""
    return create_loader(path)
