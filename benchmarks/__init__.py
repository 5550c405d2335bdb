"""Benchmarks of colony_jupyter beside other libraries; README.md describes how to run them."""

import sys
from pathlib import Path

# What tests and benchmarks share lies beside the tests, which are no package.
sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / folder) for folder in ("support", "browser")]
