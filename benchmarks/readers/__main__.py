"""``python -m benchmarks.readers NAME LOG FOLDER``: run a reader, then print its peak memory in kB.

The kernel's figure for a finished process counts its parent's memory too; this one does not.
"""

import re
import runpy
import sys
from pathlib import Path

_, name, *sys.argv[1:] = sys.argv
runpy.run_module(f"benchmarks.readers.{name}")
status = Path("/proc/self/status").read_text()
print(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])
