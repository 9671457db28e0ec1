"""logkit's own ingest, with all its guarantees."""

import sys
from datetime import UTC
from pathlib import Path

from logkit_analysis.ingest import ingest
from logkit_analysis.intake import Silent

log, folder = sys.argv[1:]
ingest(Path(folder) / "ours.duckdb", [log], zone=UTC, progress=Silent(), on_wait=print)
