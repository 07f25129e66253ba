"""Check a batch's values against the table and write them for the engine's own bulk load.

The rows go in as PostgreSQL's binary COPY, written by pgpq (https://github.com/adriangb/pgpq).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import pgpq
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import encoders, schema

from localaws.redshift.errors import NotSupported
from localaws.redshift.loading import invalid_characters
from localaws.redshift.loading.parquet_schema import scan_error
from localaws.redshift.loading.store import SourceFile
from localaws.redshift.loading.super_values import json_text
from localaws.redshift.loading.targets import TargetColumn

_LOCATION = "dory_util.cpp:1450"
_ROW_BYTES = 4 * 1024 * 1024
_ARROW = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "varchar": pa.string(), "char": pa.string(),
    "super": pa.string(), "varbyte": pa.binary(),
}  # fmt: skip


class BinaryRows:
    """Turns Parquet batches into the bytes of one binary COPY: `start`, `rows` …, `end`."""

    def __init__(self, columns: Sequence[TargetColumn], replacement: str | None = None) -> None:
        self._columns = columns
        self._replacement = replacement
        fields = [pa.field(str(place), _arrow(column)) for place, column in enumerate(columns)]
        self._schema = pa.schema(fields)
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(
            self._schema,
            {
                field.name: encoders.StringEncoderBuilder.new_with_output(field, schema.Jsonb())
                if column.type_name == "super"
                else pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
                for field, column in zip(fields, columns, strict=True)
            },
        )

    def start(self) -> bytes:
        """Return what comes before the first row."""
        return self._encoder.write_header()

    def end(self) -> bytes:
        """Return what comes after the last row."""
        return self._encoder.finish()

    def rows(self, file: SourceFile, batch: pa.RecordBatch) -> bytes:
        """Return the batch's rows. Raises StatementError, with its load error, for a bad value.

        Columns that the file lacks at its end are NULL (FILLRECORD).
        """
        missing = (pa.nulls(batch.num_rows) for _ in self._columns[batch.num_columns :])
        arrays = [
            self._fitting(file, array, column)
            for array, column in zip([*batch.columns, *missing], self._columns, strict=True)
        ]
        self._check_row_sizes(file, arrays)
        return self._encoder.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def _check_row_sizes(self, file: SourceFile, arrays: Sequence[pa.Array]) -> None:
        """Raise StatementError for a row above 4 MB, with the column of its longest value.

        https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source.html, which names
        no measure; the lengths of the values, and the wording, are unsourced.
        """
        longest = [_longest(array) for array in arrays]
        if sum(longest) <= _ROW_BYTES:
            return
        lengths = [
            pc.fill_null(pc.binary_length(array), 0).cast(pa.int64())
            for array in arrays
            if _varies(array)
        ]
        largest = pc.max(functools.reduce(pc.add, lengths)).as_py()
        if largest > _ROW_BYTES:
            context = (
                f"The size of a row is larger than the maximum of {_ROW_BYTES} bytes. "
                f"Data: {largest}, File name: {file.shown}"
            )
            column = self._columns[longest.index(max(longest))]
            raise scan_error(context, file, column, _LOCATION)

    def _fitting(self, file: SourceFile, array: pa.Array, column: TargetColumn) -> pa.Array:
        if column.not_null and array.null_count:
            # A NULL fails the load: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
            # ; wording: https://github.com/aws/aws-sdk-pandas/issues/1110
            context = (
                f"Cannot insert a NULL value into column {column.name}. File name: {file.shown}"
            )
            raise scan_error(context, file, column, _LOCATION)
        if column.type_name == "super" and not pa.types.is_null(array.type):
            return pa.array(map(json_text, array.to_pylist()), pa.string())
        if column.type_name in ("varchar", "char"):
            array = self._text(file, array, column)
        else:
            array = pc.cast(array, _arrow(column))
        if column.limit is not None:
            _check_length(file, array, column)
        return array

    def _text(self, file: SourceFile, array: pa.Array, column: TargetColumn) -> pa.Array:
        array = pc.cast(array, pa.string())
        try:
            array.validate(full=True)
        except pa.ArrowInvalid:
            array = pa.array(self._repaired(file, array, column), pa.string())
        if column.type_name == "char":
            _check_single_bytes(file, array, column)
        return array

    def _repaired(
        self, file: SourceFile, array: pa.Array, column: TargetColumn
    ) -> Iterator[str | None]:
        for raw in array.view(pa.binary()).to_pylist():
            try:
                yield raw if raw is None else raw.decode()
            except UnicodeDecodeError:
                # ACCEPTINVCHARS is valid only for VARCHAR:
                # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
                if self._replacement is None or column.type_name == "char":
                    context = f"{invalid_characters.reason(raw)}. File name: {file.shown}"
                    raise scan_error(context, file, column, _LOCATION) from None
                yield invalid_characters.replaced(raw, self._replacement)


def _varies(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_binary(array.type))


def _longest(array: pa.Array) -> int:
    """Return the length of the longest value in bytes; 0 of values of fixed width."""
    return (pc.max(pc.binary_length(array)).as_py() or 0) if _varies(array) else 0


def _check_length(file: SourceFile, array: pa.Array, column: TargetColumn) -> None:
    longest = pc.max(pc.binary_length(array)).as_py()
    if column.limit is not None and longest is not None and longest > column.limit:
        # https://github.com/aws/aws-sdk-pandas/issues/280
        context = (
            f"The length of the data column {column.name} is longer than the length defined in the "
            f"table. Table: {column.limit}, Data: {longest}, File name: {file.shown}"
        )
        raise scan_error(context, file, column, _LOCATION)


def _check_single_bytes(file: SourceFile, array: pa.Array, column: TargetColumn) -> None:
    single = pc.string_is_ascii(array)
    if pc.all(single, skip_nulls=True).as_py() is False:
        # https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
        # for text files; that Parquet says the same is unsourced
        bad = array.filter(pc.invert(single))[0].as_py()
        raise scan_error(invalid_characters.not_single_byte(bad), file, column, _LOCATION)


def _arrow(column: TargetColumn) -> pa.DataType:
    if column.type_name == "numeric":
        return pa.decimal128(column.precision, column.scale)
    if column.type_name not in _ARROW:
        raise NotSupported(
            f"COPY of Parquet into the {column.type_name.upper()} column {column.name}: "
            "no source says that Redshift does"
        )
    return _ARROW[column.type_name]
