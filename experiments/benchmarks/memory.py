"""The memory of a process, as Linux tells it.

`getrusage` tells no peak of a child: what is run by a large process starts at the peak of that.
"""

from pathlib import Path


def resident_mib(pid: int) -> float:
    """What a process has in memory now."""
    return _told("VmRSS", str(pid))


def peak_mib(of: str = "self") -> float:
    """The most that a process ever had in memory, this one without its number."""
    return _told("VmHWM", of)


def anonymous_mib() -> float:
    """What this process has in memory now that is no part of a file."""
    return _told("RssAnon", "self")


def _told(name: str, of: str) -> float:
    lines = Path(f"/proc/{of}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024
