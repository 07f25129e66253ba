"""The moments of a run at which a journey stops it, as patterns of requests."""

from __future__ import annotations

from tests.support.source import DATABASE
from tests.support.traffic import Pattern, data_api, s3


def state_read(table: str) -> Pattern:
    """The reading of the state document."""
    return s3("GET", _state(table))


def plan_recorded(table: str) -> Pattern:
    """The write of the state document that puts a batch in flight."""
    return s3("PUT", _state(table), body=r'"in_flight": ?\{')


def watermark_moved(table: str) -> Pattern:
    """The write of the state document that ends the batch in flight."""
    return s3("PUT", _state(table), body=r'"watermark": ?"[^"]+",(?s:.*)"in_flight": ?null')


def part_written(table: str, chunk: str = r"\d+", part: str = r"\d+") -> Pattern:
    """The write of one Parquet file."""
    return s3("PUT", rf"{DATABASE}\.{table}/.*/part-{chunk}-{part}-")


def receipt_written(table: str, chunk: str = r"\d+") -> Pattern:
    """The write of a finished chunk's receipt."""
    return s3("PUT", rf"{DATABASE}\.{table}/.*/chunk-{chunk}\.json")


def batch_sealed(table: str) -> Pattern:
    """The write of the manifest, which makes the batch exist."""
    return s3("PUT", rf"{DATABASE}\.{table}/.*/manifest\.json")


def load_submitted(table: str, target: str = "") -> Pattern:
    """The call that sends a whole load transaction with its COPY."""
    return data_api("BatchExecuteStatement", rf"COPY.*{DATABASE}\.{table}/", target)


def load_asked_about(table: str, target: str = "") -> Pattern:
    """The question whether a submitted load has ended."""
    return data_api("DescribeStatement", rf"COPY.*{DATABASE}\.{table}/", target)


def ledger_asked(table: str, target: str = "") -> Pattern:
    """The query that asks a target which batches it holds."""
    return data_api("ExecuteStatement", rf"_tidemark_ledger__{table}\b", target)


def _state(table: str) -> str:
    return rf"watermark/tables/{DATABASE}\.{table}\.json"
