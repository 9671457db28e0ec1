"""pyarrow's JSON reader, into memory."""

import sys

import pyarrow.json

pyarrow.json.read_json(sys.argv[1])
