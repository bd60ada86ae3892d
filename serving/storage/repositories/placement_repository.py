"""The lanes that decisions assigned, in the order of the log."""

from collections import Counter
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, case, func, select

from serving.storage.repository import Repository
from serving.storage.tables.scoring import decisions
from serving.triage.placement_log import LaneCount, LoggedPlacement

# Bounds the memory of one query.
MAX_PLACEMENTS = 100_000


_NAMES = [column.name for column in fields(LoggedPlacement) if column.name != "ranked_by"]
# Few outlines state a rank of their own, so the text is read only for those.
_RANKED = case((decisions.c.record.contains('"ranked_by"'), decisions.c.record))
_COLUMNS = (*(decisions.c[name] for name in _NAMES), _RANKED.label("ranked_by"))


class PlacementRepository(Repository):
    """The placements of one database."""

    def subject_token(self, kind: str, subject_id: str) -> str:
        """Return the token by which placements name a subject."""
        return self._keys.subject_token(kind, subject_id)

    def first_drawn(self, kind: str, subject_id: str) -> str | None:
        """Return the seed fingerprint of a subject's first decision, empty if it states none.

        None means that there is no decision about it. It is in the outline, so erased decisions
        keep it.
        """
        query = (
            select(decisions.c.record)
            .where(
                decisions.c.subject_kind == kind,
                decisions.c.subject_id.in_(self._keys.tokens(kind, subject_id)),
            )
            .order_by(decisions.c.seq)
            .limit(1)
        )
        outline = self._scalar(query)
        return None if outline is None else str(orjson.loads(outline).get("drawn_with") or "")

    def size(self) -> int:
        """Return the number of decisions."""
        return self._scalar(select(func.max(decisions.c.seq))) or 0

    def since(self, instant: datetime) -> list[LoggedPlacement]:
        """Return the placements of the newest decisions since an instant, oldest first."""
        query = (
            select(*_COLUMNS)
            .where(decisions.c.scored_at >= instant.isoformat())
            .order_by(decisions.c.seq.desc())
            .limit(MAX_PLACEMENTS)
        )
        rows = self._rows(query)
        return [*map(_placement, reversed(rows))]

    def counts(self, since: datetime) -> list[LaneCount]:
        """Return the number of decisions in each lane since an instant.

        Ordered by kind of subject, with the fullest lane first.
        """
        query = (
            select(decisions.c.subject_kind, decisions.c.lane, func.count())
            .where(decisions.c.scored_at >= since.isoformat())
            .group_by(decisions.c.subject_kind, decisions.c.lane)
        )
        rows = self._rows(query)
        totals: Counter[str] = Counter()
        for kind, _, subjects in rows:
            totals[kind] += subjects
        counts = [LaneCount(kind, lane, n, n / totals[kind]) for kind, lane, n in rows]
        return sorted(counts, key=lambda count: (count.subject_kind, -count.subjects, count.lane))

    def after(self, seq: int) -> list[LoggedPlacement]:
        """Return the placements of the decisions after a number, in order."""
        query = select(*_COLUMNS).where(decisions.c.seq > seq).order_by(decisions.c.seq)
        return [*map(_placement, self._rows(query.limit(MAX_PLACEMENTS)))]


def _placement(row: Row[Any]) -> LoggedPlacement:
    """Return a placement; `ranked_by` is None where lanes rank by probability alone."""
    columns = row._asdict()
    lasting = columns.pop("ranked_by")
    ranked_by = orjson.loads(lasting).get("ranked_by") if lasting else None
    return LoggedPlacement(**columns, ranked_by=ranked_by)
