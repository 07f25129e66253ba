"""Health check: exit 0 if the API server has seen a fresh heartbeat of the component named, else 1.

`airflow jobs check` asks the same of the database, but imports Airflow first, which costs seconds
of a CPU at every check.
"""

import json
import sys
import urllib.request
from urllib.parse import urljoin

HEALTH = "/api/v2/monitor/health"


def main(component: str, api_server: str = "http://airflow-apiserver:8080") -> int:
    """Return the exit code. `component` is a key of the answer, such as ``triggerer``."""
    try:
        with urllib.request.urlopen(urljoin(api_server, HEALTH), timeout=8) as response:  # noqa: S310 - fixed
            status = json.load(response)[component]["status"]
    except (OSError, ValueError, KeyError) as error:
        print(f"{component}: {error!r}")
        return 1
    print(f"{component}: {status}")
    return int(status != "healthy")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
