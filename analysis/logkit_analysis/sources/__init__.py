"""Log files as streams of complete lines: discovery, reading, identity."""
