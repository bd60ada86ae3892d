"""`make conformance`: the table of what became of all samples; ends with 1 where any surprises."""

import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from features.errors import MessageRefused
from tests.conformance.trial_of_samples import BESIDE, OWN, Row, Tried, tried

COLUMNS = ("valid read", "wrong refused", "records made", "fields used", "left over", "withheld")
MAX_REASONS = 8


def main(folders: list[Path]) -> int:
    """Try all samples, print the table, and say what surprised."""
    console = Console(width=140)
    rows: dict[str, Row] = defaultdict(Row)
    found: list[Tried] = []
    for folder in folders:
        for each in tried(folder):
            rows[each.standard].add(each)
            found.append(each)
    console.print(_table(rows))
    for name, row in rows.items():
        common = row.records_refused.most_common(MAX_REASONS)
        console.print(f"{name}: records that could not be made", highlight=False)
        for why, number in common:
            console.print(f"  {number:>6,}  {why}", highlight=False, markup=False)
    for each in found:
        if isinstance(each.outcome, MessageRefused):
            console.print(f"refused {each.file.name}: {each.outcome}", markup=False, soft_wrap=True)
    surprises = [each for each in found if not each.is_as_meant]
    for each in surprises:
        became = "refused" if isinstance(each.outcome, MessageRefused) else "read"
        console.print(f"NOT AS MEANT: {each.file} was {became}", markup=False, soft_wrap=True)
    console.print(f"{len(found)} samples, {len(surprises)} not as meant")
    return 1 if surprises else 0


def _table(rows: dict[str, Row]) -> Table:
    table = Table("standard", *COLUMNS)
    for name, row in rows.items():
        records = ", ".join(f"{number:,} {kind}" for kind, number in sorted(row.records.items()))
        figures = (row.fields_used, row.left_over, row.withheld)
        table.add_row(
            name,
            f"{row.read} of {row.valid}",
            f"{row.refused} of {row.wrong}",
            records or "none",
            *(f"{figure:,}" for figure in figures),
        )
    return table


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    sys.exit(main(given or [OWN, *([BESIDE] if BESIDE.is_dir() else [])]))
