"""The benchmarks are modules of the repository's folder (`python -m benchmarks.quality`), not of the package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
