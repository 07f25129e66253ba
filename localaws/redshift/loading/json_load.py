"""Load JSON: each object or array of a file is a row.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.bad_value import BadValue
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.json_paths import element, read_paths
from localaws.redshift.loading.json_records import JsonReader
from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.row_load import RowLoad
from localaws.redshift.loading.store import SourceFile, Store, split_url
from localaws.redshift.loading.super_values import JsonNumber, json_text
from localaws.redshift.loading.targets import Target, TargetColumn
from localaws.redshift.loading.text_load import opened_text
from localaws.redshift.long_names import in_full

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

Shredder = Callable[[Any], list[Any]]


def load_json(
    plan: Copy,
    target: Target,
    files: Sequence[SourceFile],
    store: Store,
    session: Session,
    log: LoadLog,
) -> None:
    """Load every file, in order; what is no row is counted against MAXERROR.

    Raises StatementError when there is too much of it, or for a JSONPaths file that is malformed.
    """
    load = RowLoad(plan, target, session, log)
    shred = _shredder(plan, target, store)
    for file in files:
        started, before = log.now(), load.loaded
        with opened_text(plan, store, file) as source:
            reader = JsonReader(source, int(plan.options.get("ignoreheader", 0)))
            for document in reader.documents():
                bad = document.bad
                if bad is None:
                    try:
                        values = [
                            _text(value, column)
                            for value, column in zip(
                                shred(document.value), target.columns, strict=True
                            )
                        ]
                        load.add(file, document.line, document.raw, tuple(values))
                    except BadValue as refused:
                        bad = refused
                if bad is not None:
                    load.reject(file, document.line, document.raw, bad)
        load.flush()
        log.file(file.url, load.loaded - before, file.size, started)


def _shredder(plan: Copy, target: Target, store: Store) -> Shredder:
    """Return what takes a document apart, one value for each column."""
    option = str(plan.options["json"])
    names = [in_full(column.name) for column in target.columns]
    if option == "noshred":
        if [column.type_name for column in target.columns] != ["super"]:
            # https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html ; wording unsourced
            raise StatementError("ERROR: noshred needs a table with a single SUPER column")
        return lambda document: [document]
    if option.startswith("s3://"):
        paths = read_paths(_paths_file(option, store), len(names))
        if paths is not None:
            return lambda document: [element(document, path) for path in paths]
    elif option not in ("auto", "auto ignorecase"):
        raise StatementError(f"ERROR: Invalid JSON option '{option}'")  # wording unsourced
    fold = option == "auto ignorecase"
    return lambda document: _by_name(document, names, fold=fold)


def _by_name(document: Any, names: Sequence[str], *, fold: bool) -> list[Any]:
    if not isinstance(document, dict):
        # "If your data files use arrays, you must specify a JSONPaths file"; wording unsourced
        raise BadValue(1216, "A JSON array needs a JSONPaths file")
    found = {name.lower(): value for name, value in document.items()} if fold else document
    return [found.get(name) for name in names]


def _paths_file(url: str, store: Store) -> bytes:
    bucket, key = split_url(url)
    try:
        return store.read(bucket, key)
    except StatementError as error:
        if isinstance(error.__cause__, ClientError):
            # Public programs look for "jsonpath file … was not found"; the rest is unsourced.
            raise StatementError(f"ERROR: The JSONPath file {url} was not found") from error
        raise


def _text(value: Any, column: TargetColumn) -> str | None:
    """Return a JSON value as the field of a text file would have it."""
    if column.type_name == "super" or isinstance(value, dict | list):
        # "the entire object or array is loaded as a string": copy-usage_notes-copy-from-json
        try:
            return json_text(value)
        except StatementError as error:
            # 1224: https://github.com/estuary/connectors (materialize-redshift)
            raise BadValue(1224, error.text.removeprefix("ERROR: ")) from None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonNumber) and column.type_name == "numeric":
        return format(Decimal(value), "f")
    return str(value)
