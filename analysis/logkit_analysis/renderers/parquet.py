"""ResultSet -> a Parquet file with the types of its columns."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from logkit_analysis.results import Column, ResultSet


class ValueUnfitError(AnalysisError):
    """A value has no place in a Parquet column of its type."""


_ROWS_OF_GROUP = 20_000
_TYPES: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "HUGEINT": pa.decimal256(39, 0),
    "UHUGEINT": pa.decimal256(39, 0),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "UUID": pa.string(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "INTERVAL": pa.duration("us"),
    '"NULL"': pa.int32(),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def write_parquet(result: ResultSet, stream: IO[bytes]) -> None:
    """Write the rows, compressed with zstd; a type that Parquet lacks becomes text.

    Raises:
        ValueUnfitError: A value has no form in the column's type, like a time in the year 290000.
    """
    types = [_type(column) for column in result.columns]
    schema = pa.schema([pa.field(c.name, t) for c, t in zip(result.columns, types, strict=True)])
    rows = iter(result.rows)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _ROWS_OF_GROUP)):
            arrays = [
                _array(column, [_convert(row[i], kind) for row in batch], kind)
                for i, (column, kind) in enumerate(zip(result.columns, types, strict=True))
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def write_batches(batches: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    """Write Arrow batches as they come, compressed with zstd."""
    with pq.ParquetWriter(stream, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _type(column: Column) -> pa.DataType:
    decimal = _DECIMAL.fullmatch(column.type)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _TYPES.get(column.type, pa.string())


def _array(column: Column, values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError) as error:
        reason = str(error).splitlines()[0]
        hint = "cast it to VARCHAR"
        raise ValueUnfitError(f"column {column.name} as {column.type}: {reason}; {hint}") from error


def _convert(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_string(kind) and not isinstance(value, str):
        return str(value)
    if pa.types.is_decimal256(kind):
        return Decimal(value)
    return value
