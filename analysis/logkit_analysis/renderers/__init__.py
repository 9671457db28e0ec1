"""ResultSet -> table, csv, json, jsonl, markdown or parquet."""
