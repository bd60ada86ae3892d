"""How the invention of a world grows with its size: `python -m experiments.benchmarks.synth`.

Each size runs in a process of its own; the time is for a whole world, file to file, and includes
starting Python. Linear growth and level memory are what is looked for.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (100_000, 1_000_000)
CORES = (1, 2)


def measured(journeys: int, cores: int) -> dict[str, Any]:
    """Seconds and the peak memory of the largest process for one world."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "experiments.benchmarks.synth", "--once"]
        begin = time.perf_counter()
        done = subprocess.run(
            [*command, out, str(journeys), str(cores)], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - begin
    return {"journeys": journeys, "cores": cores, "seconds": round(seconds, 1)} | json.loads(
        done.stdout
    )


def once(out: Path, journeys: int, cores: int) -> None:
    """Invent one world in this process and print its peak memory."""
    from synthetic.scenario import Scenario  # noqa: PLC0415 - the parent process needs none of it
    from synthetic.world import invent  # noqa: PLC0415

    invent(out, scenario=Scenario(), journeys=journeys, days=365, seed=7, cores=cores)
    peaks = [
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(json.dumps({"peak_mib": round(peaks[0]), "peak_mib_of_a_worker": round(peaks[1])}))


def main() -> None:
    """Run every size on every number of cores and print one JSON document."""
    if sys.argv[1:2] == ["--once"]:
        once(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    runs = [measured(journeys, cores) for journeys in SIZES for cores in CORES]
    growth = {
        str(cores): round(
            next(r["seconds"] for r in runs if (r["journeys"], r["cores"]) == (SIZES[-1], cores))
            / next(r["seconds"] for r in runs if (r["journeys"], r["cores"]) == (SIZES[0], cores)),
            2,
        )
        for cores in CORES
    }
    print(json.dumps({"runs": runs, "times_as_long_for_ten_times_as_many": growth}, indent=1))


if __name__ == "__main__":
    main()
