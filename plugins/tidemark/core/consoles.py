"""Where AWS's console shows a folder of a bucket, and a warehouse, and where our own page shows the
statements of a load. Pure."""

from urllib.parse import quote, urlencode, urlsplit

from tidemark.core.settings.targets import RedshiftTarget, Target

STATEMENTS = "statements"
"""The key of the XCom under which a load leaves what names its transactions on the target."""


def statements_page(dag_id: str, task_id: str, run_id: str) -> str:
    """Return the page of a load's statements, relative to the base of Airflow's own pages."""
    return "tidemark/statements?" + urlencode(
        {"dag_id": dag_id, "task_id": task_id, "run_id": run_id}
    )


def is_aws(endpoint_url: str) -> bool:
    """Return whether an endpoint is AWS's own, so that its console knows what lies there."""
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def folder_page(region: str, bucket: str, prefix: str) -> str:
    """Return the page of what lies below a prefix."""
    where = f"s3/buckets/{quote(bucket, safe='')}?region={region}"
    return f"{_console(region)}/{where}&prefix={quote(prefix.rstrip('/'))}/"


def warehouse_page(target: Target) -> str:
    """Return the page of a warehouse, with its queries; empty for a kind that AWS does not run."""
    if not isinstance(target, RedshiftTarget):
        return ""
    page = (
        f"cluster-details?cluster={quote(target.cluster_identifier, safe='')}"
        if target.cluster_identifier
        else f"serverless-workgroup?workgroup={quote(target.workgroup_name or '', safe='')}"
    )
    home = f"redshiftv2/home?region={target.region}"
    return f"{_console(target.region)}/{home}#{page}"


def _console(region: str) -> str:
    if region.startswith("cn-"):
        return f"https://{region}.console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return f"https://{region}.console.amazonaws-us-gov.com"
    return f"https://{region}.console.aws.amazon.com"
