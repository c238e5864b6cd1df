"""Hides ale_py from the Python that has this first in its path."""

import sys

sys.modules["ale_py"] = None
