"""``python -m colony_jupyter`` is the command ``colony-jupyter``."""

from __future__ import annotations

import sys

from colony_jupyter.cli import main

sys.exit(main())
