"""``python -m colony_jupyter.kernels``: the process that Jupyter starts as its kernel."""

from __future__ import annotations

import sys

from colony_jupyter.kernels.proxy.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
