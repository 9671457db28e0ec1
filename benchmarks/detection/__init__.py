"""When did it get worse? Simulated logs with written truth, and detectors that look for it."""
