"""Everything a feature may read about subjects, and the features computed from it.

One computation serves many subjects and one: it is the same functions over columns of any length.
"""

from dataclasses import dataclass, field
from typing import Self

from features.asof.history import History
from features.asof.sources import Sources
from features.asof.windows import Window
from features.attached.sources import attached_to, latest_by_subject
from features.catalogue import windows_of
from features.columns import Column, Columns
from features.computation import computation
from features.records import SubjectKind
from features.subjects import Records, subjects_of


@dataclass(frozen=True)
class Evidence:
    """The columns of subjects of one kind, what is attached to them, and history."""

    kind: SubjectKind
    subjects: Columns
    attached: Sources
    history: History
    _windows: dict[Window, Column] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: SubjectKind, records: Records, history: History) -> Self:
        """Evidence about every subject of one kind among the records."""
        subjects = subjects_of(kind, records)
        attached = attached_to(kind, subjects, records)
        payments = attached["attached_transactions"]
        subjects |= {
            "latest_payer_id": latest_by_subject(subjects, payments, "payer_id"),
            "latest_payee_id": latest_by_subject(subjects, payments, "payee_id"),
        }
        return cls(kind, subjects, Sources(attached), history)

    def features(self) -> Columns:
        """Every feature by name, in catalogue order: one value per subject."""
        windows = {window: self.window(window) for window in windows_of(self.kind)}
        return computation(self.kind).run({**self.subjects, **windows})

    def window(self, window: Window) -> Column:
        """One number of a window per subject; computed once for all features that read it."""
        if window not in self._windows:
            self._windows[window] = self._reduced(window)
        return self._windows[window]

    def _reduced(self, window: Window) -> Column:
        sources = self.attached if window.source in self.attached.sources else self.history
        return sources.reduce(window, self.subjects, self.subjects["declared_at"])
