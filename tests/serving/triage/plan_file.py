"""A plan of one office with a watch-list and a rule, and how a test reads such a file."""

from pathlib import Path

from serving.triage.triage_plan import TriagePlan

PLAN = """
edition = "2026-11"

[offices.XX0001]
inspect_per_day = 20
document_check_per_day = 60
control_per_day = 3

[[watched]]
kind = "container"
value = "CSQU3054383"
list = "stolen containers"
reason = "reported stolen"
until = 2027-02-01T00:00:00Z

[[rules]]
name = "heavy"
feature = "mass_kg"
above = 20000.0
lane = "document_check"
reason = "heavier than the ramp allows"

[harm]
drugs = 5.0
"""


def read_plan(folder: Path, content: str | bytes) -> TriagePlan:
    file = folder / "lanes.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return TriagePlan.read(file)
