"""ResultSet -> table, csv, json, jsonl, markdown, parquet or a chart."""

import sys

UNLIMITED = sys.maxsize
"""The width of a pipe or a file: no row of a table is broken there."""
