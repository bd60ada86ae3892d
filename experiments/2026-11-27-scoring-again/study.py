"""How much of what becomes known of a subject is known at some scoring instant of it.

    python experiments/2026-11-27-scoring-again/study.py RECORDS

Prints, by kind of subject and sort of record, the share known at the declaration and at the last
scoring instant, and how many instants there are to a subject.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from features.engine.batch.record_blocks import RecordFolder
from features.linked_records import linked_record_types
from features.records import SUBJECT_KINDS, SubjectKind
from features.rescoring_rules import RescoringRules
from features.scoring_instants import later_instants
from features.subject_types import SUBJECT_TYPES


def known_shares(records: Path, kind: SubjectKind) -> pd.DataFrame:
    """By sort of record: how many there are, and the shares known at first and at last."""
    subject_type = SUBJECT_TYPES[kind]
    own = pd.read_parquet(records / f"{subject_type.record_file}.parquet")
    own = own.set_index(subject_type.id_field)
    later = later_instants(kind, RecordFolder(records), RescoringRules())
    print(f"{kind}: {len(own):,} subjects, {1 + sum(map(len, later.values())) / len(own):.2f} each")
    last = own["declared_at"].copy()
    last.update(pd.Series({subject_id: instants[-1] for subject_id, instants in later.items()}))
    parts = [_of_type(records, kind, one, own["declared_at"], last) for one in _types(kind)]
    known = pd.concat(parts).groupby("sort")
    return known.agg(
        records=("first", "size"), at_declaration=("first", "mean"), at_last=("last", "mean")
    )


def _types(kind: SubjectKind) -> list[Any]:
    return [*linked_record_types(kind)]


def _of_type(
    records: Path, kind: SubjectKind, record_type: Any, declared_at: Any, last: Any
) -> pd.DataFrame:
    rows = pd.read_parquet(records / f"{record_type.name}.parquet")
    if record_type.has_subject_kind:
        rows = rows[rows["subject_kind"] == kind]
    sort = record_type.name
    if "purpose" in rows:
        sort = sort + " of " + rows["purpose"].fillna("unknown purpose")
    known_at, ids = rows[record_type.known_from], rows[record_type.subject_field]
    first = known_at < ids.map(declared_at)
    return pd.DataFrame({"sort": sort, "first": first, "last": known_at < ids.map(last)})


def main() -> None:
    """Print the shares of both kinds."""
    for kind in SUBJECT_KINDS:
        print(known_shares(Path(sys.argv[1]), kind).to_string(float_format="{:.1%}".format), "\n")


if __name__ == "__main__":
    main()
