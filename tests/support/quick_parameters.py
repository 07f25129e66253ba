"""A DAG's parameters are looked at by every attempt, what they may be only once.

Airflow checks with each value whether the schema of the parameter is one, by the schema of schemas:
a tenth of the time of an attempt. The values themselves are looked at as ever.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from jsonschema import Draft202012Validator

_check_schema = Draft202012Validator.check_schema


@functools.lru_cache(1000)
def _check_text(schema: str) -> None:
    _check_schema(json.loads(schema))


def _check_once(schema: Any, **how: Any) -> None:
    """As jsonschema does it.

    :raises jsonschema.SchemaError: this is no schema
    """
    if how:
        _check_schema(schema, **how)
    else:
        _check_text(json.dumps(schema, sort_keys=True))


Draft202012Validator.check_schema = _check_once
