"""The state documents of tables that nobody copies."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
from tidemark.core.storage.state import first_state

from localaws import Endpoints
from onebox.settings import STAGING_BUCKET


def document(name: str, lag: timedelta = timedelta(seconds=30)) -> bytes:
    """Return a table's document: both targets complete up to so long ago."""
    now = datetime.now(UTC)
    state = first_state(name, {"primary": "required", "secondary": "best_effort"}, now)
    done = now - lag
    targets = {
        target: known.model_copy(update={"as_of": done, "rows": 100, "loaded_at": done})
        for target, known in state.targets.items()
    }
    changed = state.model_copy(update={"watermark": done, "targets": targets})
    return changed.model_dump_json().encode()


def put_documents(endpoints: Endpoints, names: Sequence[str]) -> None:
    """Put the documents of these tables into the staging bucket, which is there."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )

    def put(name: str) -> None:
        key = f"watermark/tables/{name}.json"
        s3.put_object(Bucket=STAGING_BUCKET, Key=key, Body=document(name))

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(put, names))
