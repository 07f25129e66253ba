"""Which cluster or workgroup a call means, and whether it may be asked in that way.

The combinations of members are those of
https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
A secret, or a workgroup, or a cluster with or without a database user. Their refusals' wordings are
unsourced.
"""

from __future__ import annotations

from typing import Any

from localaws.redshift.engine.clusters import Cluster, Clusters
from localaws.redshift.errors import invalid

# The database user of an IAM identity: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
# The stand-in does not know who calls.
IAM_USER = "IAM:localaws"


def warehouse_of(request: dict[str, Any], clusters: Clusters) -> Cluster:
    """Return the available cluster that a call names. Raises ValidationException."""
    names = [request[name] for name in ("ClusterIdentifier", "WorkgroupName") if request.get(name)]
    if not names:
        raise invalid("Either ClusterIdentifier, WorkgroupName or SessionId must be provided.")
    if len(names) > 1:
        raise invalid("Only one of ClusterIdentifier and WorkgroupName may be provided.")
    if not request.get("Database"):
        raise invalid("Database must be provided.")
    if request.get("DbUser") and request.get("SecretArn"):
        raise invalid("DbUser cannot be combined with SecretArn.")
    if request.get("DbUser") and request.get("WorkgroupName"):
        raise invalid("DbUser cannot be combined with WorkgroupName.")
    cluster = clusters.named(names[0])
    cluster.require_available()
    return cluster


def database_user(request: dict[str, Any]) -> str | None:
    """Return the database user that answers show; none for a secret, whose content is unknown."""
    if request.get("DbUser"):
        return str(request["DbUser"])
    return None if request.get("SecretArn") else IAM_USER
