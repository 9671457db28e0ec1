"""The DuckDB file: who may open it when, its tables, and how rows get in."""
