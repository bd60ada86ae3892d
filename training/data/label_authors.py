"""Authors of a training set's outcomes: an additional column of keyed pseudonyms.

Builds know nothing about people. Retraining adds the authors of labels so that no single person can
have too much weight.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.records import SubjectKind
from training.outcomes import AUTHOR

Authors = Mapping[tuple[str, str, datetime, datetime], str]


def add_authors(folder: Path, subject: SubjectKind, authors: Authors) -> int:
    """Add the authors to a training set's outcomes; return how many outcomes have one.

    `authors` is keyed by kind and id of the subject, time of the inspection and time from which the
    outcome was known.
    """
    file = folder / "outcomes.parquet"
    table = pq.read_table(file)
    columns = ("subject_id", "inspected_at", "known_at")
    keys = zip(*(table[name].to_pylist() for name in columns), strict=True)
    names = [authors.get((subject, *key)) for key in keys]
    signed = table.append_column(AUTHOR, pa.array(names, pa.string()))
    pq.write_table(signed.replace_schema_metadata(table.schema.metadata), file)
    return sum(name is not None for name in names)
