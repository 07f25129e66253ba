"""Holds an Airflow until it is killed: the process that a test pulls away from under it.

To each line on standard input it answers with its components' process ids, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from localaws import read_endpoints
from onebox.airflow import COMPONENTS, Airflow

home = Path(sys.argv[1])
endpoints = read_endpoints(home)
assert endpoints is not None
with Airflow(home, endpoints, dict(os.environ)) as airflow:
    for _ in sys.stdin:
        print(json.dumps({name: airflow.pid(name) for name in COMPONENTS}), flush=True)
