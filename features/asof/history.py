"""What happened before, to anyone: past subjects, their outcomes, and payments.

History is made of record files and grows with every submission that is scored. A subject that is
already part of it is not counted again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import numpy as np

from features.asof.recent import RecentEvents
from features.asof.sources import Sources, in_order_of_knowledge
from features.asof.windows import Window
from features.attached.transactions import payments
from features.catalogue import columns_read
from features.columns import Column, Columns, columns_of_table, matched, rows
from features.reading import read_records
from features.records import RECORD_FILES, SubjectKind
from features.state.keys import Part
from features.state.plan import Plan
from features.subjects import Records, subjects_of
from features.submission import Submission, records_of
from features.vocabulary import VOCABULARY

# More than this, and what was added is sorted into the base, which costs one pass over it.
MOST_RECENT = 20_000

# The record types that history is made of; the others are seen only beside their own subject.
TOLD_BY = ("journeys", "shipments", "transactions", "outcomes")


class History:
    """Sources of past events, to which submissions may be added.

    Not safe for threads: whoever shares one holds a lock around `add` and around a vector.
    """

    def __init__(self, sources: dict[str, Columns]) -> None:
        self._base = Sources(sources)
        self._recent = RecentEvents(self._base)
        self._ids = {name: set(source["record_id"].tolist()) for name, source in sources.items()}

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The history that a folder of record files tells; RecordsError when one is unusable."""
        return cls.of_records(records_of_folder(folder, TOLD_BY))

    @classmethod
    def of_records(cls, records: Records) -> Self:
        """The history that records tell."""
        return cls(sources_of(records))

    def reduce(self, window: Window, subjects: Columns, at: Column) -> Column:
        """The window's number for subjects at these instants."""
        if len(at) == 1:
            return self._recent.reduce(window, subjects, at)
        self._settle()
        return self._base.reduce(window, subjects, at)

    def numbers(
        self, plan: Plan, subject: Mapping[str, Part], at: int, beside: object = None
    ) -> Column:
        """The number of each window of a plan, as of an instant in microseconds."""
        assert beside is None, "add them"
        columns = {
            name: VOCABULARY.codes([part]) if isinstance(part, str) else np.array([part], float)
            for name, part in subject.items()
        }
        instants = np.array([at])
        return np.array([self.reduce(w, columns, instants)[0] for w in plan.windows])

    def add(self, submission: Submission) -> None:
        """Make a scored subject and its payments part of what later subjects are seen against."""
        self.add_records(records_of(submission))

    def add_records(self, records: Records) -> None:
        """Make records part of what later subjects are seen against.

        An outcome counts only beside its subject's own record.
        """
        for name, events in sources_of(records).items():
            ids = events["record_id"].tolist()
            is_new = np.array([i not in self._ids[name] for i in ids], dtype=bool)
            if is_new.any():
                self._ids[name].update(ids)
                self._recent.add(name, rows(events, is_new))
        if len(self._recent) > MOST_RECENT:
            self._settle()

    def _settle(self) -> None:
        """Sort what was added into the base."""
        if len(self._recent):
            self._base = self._recent.settled()
            self._recent = RecentEvents(self._base)


def records_of_folder(folder: Path, names: Iterable[str] = RECORD_FILES) -> Records:
    """The columns of every record type in a folder, or of those named."""
    return {name: columns_of_table(read_records(folder, name)) for name in names}


def sources_of(records: Records) -> dict[str, Columns]:
    """The sources of history, each in the order of knowledge.

    `journeys`, `shipments`: one event per subject, known from its declaration. `route_outcomes`,
    `shipment_outcomes`: one per conclusive inspection, with the columns of its subject, known from
    its `known_at`. `payments`: one per transaction. Only columns that features read are kept.
    """
    journeys, shipments = subjects_of("route", records), subjects_of("shipment", records)
    sources = {
        "journeys": journeys | {"record_id": journeys["subject_id"]},
        "shipments": shipments | {"record_id": shipments["subject_id"]},
        "route_outcomes": _outcomes("route", journeys, records["outcomes"]),
        "shipment_outcomes": _outcomes("shipment", shipments, records["outcomes"]),
        "payments": payments(records["transactions"]),
    }
    return {
        name: in_order_of_knowledge({column: events[column] for column in columns_read(name)})
        for name, events in sources.items()
    }


def _outcomes(kind: SubjectKind, subjects: Columns, outcomes: Columns) -> Columns:
    is_conclusive = (outcomes["subject_kind"] == VOCABULARY.code(kind)) & (
        outcomes["result"] != VOCABULARY.code("inconclusive")
    )
    conclusive = rows(outcomes, is_conclusive)
    subject = matched(subjects, conclusive["subject_id"], subjects["subject_id"])
    return subject | {
        "record_id": conclusive["subject_id"],
        "known_at": conclusive["known_at"],
        "is_confirmed": (conclusive["result"] == VOCABULARY.code("confirmed")).astype(np.float64),
    }
