"""Analysis of structured logs: ingest into DuckDB, canned queries, reports."""
