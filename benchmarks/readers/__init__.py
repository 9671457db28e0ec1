"""One script per reader of JSON lines: ``python -m benchmarks.readers.NAME LOG FOLDER``."""
