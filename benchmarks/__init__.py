"""How fast we are, beside the others; README.md says how to run it."""

import sys
from pathlib import Path

# What tests and benchmarks share lies beside the tests, which are no package.
sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / folder) for folder in ("support", "browser")]
