"""What workers keep of their figures where all of them read it."""

import os
import subprocess
import sys
from pathlib import Path

from serving.metrics_multiprocess import FOLDER

TELL = """
from serving.metrics_multiprocess import reserve
from serving.observability import Metrics
reserve()
metrics = Metrics()
for route in range(40):
    metrics.requests.observe("GET", f"/{route}", 200, 0.01)
"""


def test_a_worker_that_counts_writes_to_no_page_that_a_full_disk_could_refuse(
    tmp_path: Path,
) -> None:
    """A page of mapped memory without a block on disk ends the process where none is left."""
    subprocess.run(
        [sys.executable, "-c", TELL], env={**os.environ, FOLDER: str(tmp_path)}, check=True
    )

    files = [each.stat() for each in tmp_path.glob("*.db")]
    assert len(files) >= 3
    assert all(512 * file.st_blocks >= file.st_size for file in files)
