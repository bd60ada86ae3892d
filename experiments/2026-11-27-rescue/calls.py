"""A thousand rescue calls to servers that fail, with restarts.

python -m experiments.2026-11-27-rescue.calls [CALLS] [SEED]
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.serving.review.call_faults import simulate

if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    calls, seed = (int(text) for text in (sys.argv[1:] + ["1000", "7"][len(sys.argv) - 1 :]))
    with TemporaryDirectory() as folder:
        for name, value in vars(simulate(Path(folder), calls, seed)).items():
            print(f"{name}: {value}")
