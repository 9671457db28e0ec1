"""polars' reader of JSON lines, into memory."""

import sys

import polars as pl

pl.read_ndjson(sys.argv[1])
