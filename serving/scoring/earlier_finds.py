"""Name the earlier finds behind the reasons of a decision, as far as a reader may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from features.catalogue import features_by_name
from features.engine.columns import instant_at
from features.engine.windows.window_declaration import Window
from features.history.confirmed_finds import Find, counts_finds
from features.records import SubjectKind
from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.masking import Masking
from serving.audit.visible_decisions import newest_visible
from serving.errors import Unavailable
from serving.history.client import HistoryClient
from serving.scoring.enrichment import as_scored

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

# A reader checks a few; a hub may have hundreds, and each is looked up in the log.
MAX_FINDS = 12


@dataclass(frozen=True)
class EarlierFind:
    """An earlier subject that an inspection confirmed, linked by a party.

    `known_at` is the instant from which the find counted. `decision_id` is None if the subject is
    known from records alone; `case_id` is that of its case, if it has one.
    """

    subject_kind: SubjectKind
    subject_id: str
    known_at: datetime
    party_id: str
    decision_id: str | None
    case_id: str | None


@dataclass(frozen=True)
class FindsBehind:
    """The newest finds behind a value that a reader may see, and the number of other subjects."""

    shown: tuple[EarlierFind, ...]
    not_shown: int


@dataclass(frozen=True)
class EarlierFinds:
    """A lookup of the finds behind the reasons of decisions, made when somebody reads these."""

    history: HistoryClient
    log: "DecisionRepository"
    records: "RecordRepository"
    masking: Masking

    def behind(self, caller: Caller, decision: Decision) -> dict[str, FindsBehind]:
        """Return the finds behind each feature of the reasons that counts some, by feature.

        Empty for a masked decision, since its parties are unknown then, and if the history is
        unavailable.
        """
        if decision.unscored or self.masking.hides(decision):
            return {}
        counting = {
            name: windows
            for name in decision.known_reasons.features_named
            if (windows := _counting(decision.subject_kind, name))
        }
        if not counting:
            return {}
        asked = {window for windows in counting.values() for window in windows}
        try:
            found = self.history.finds(as_scored(decision, self.records), [*asked])
        # The explanation itself needs no history, so it is given all the same.
        except Unavailable:
            return {}
        behind = {
            name: self._visible(caller, [find for window in windows for find in found[window]])
            for name, windows in counting.items()
        }
        shown = {find.decision_id for finds in behind.values() for find in finds.shown}
        if named := sorted(filter(None, shown)):
            add_audit_details(finds=named)
        return {name: finds for name, finds in behind.items() if finds.shown or finds.not_shown}

    def _visible(self, caller: Caller, finds: Sequence[Find]) -> FindsBehind:
        """Return one find of each subject, the newest first."""
        of_subject: dict[tuple[SubjectKind, str], Find] = {}
        for find in sorted(finds, key=lambda find: -find.known_at):
            of_subject.setdefault((find.kind, find.subject_id), find)
        newest = [*of_subject.values()][:MAX_FINDS]
        shown = tuple(filter(None, (self._as_seen_by(caller, find) for find in newest)))
        return FindsBehind(shown, len(of_subject) - len(shown))

    def _as_seen_by(self, caller: Caller, find: Find) -> EarlierFind | None:
        """Return a find, or None if its subject must not be named to the caller."""
        kind, subject_id, known_us, party_id = find
        known_at = instant_at(known_us)
        decision = newest_visible(self.log, self.masking, caller, kind, subject_id)
        if decision is not None:
            ids = decision.decision_id, decision.case_id
            return EarlierFind(kind, subject_id, known_at, party_id, *ids)
        # Known from records alone, which have no office: for those who see every office.
        sees_all = not caller.offices and (caller.may("review") or caller.may("audit"))
        is_decided = bool(self.log.lanes_of(kind, [subject_id]))
        if is_decided or not sees_all or self.masking.covers(kind, subject_id, known_at):
            return None
        return EarlierFind(kind, subject_id, known_at, party_id, None, None)


def _counting(kind: SubjectKind, name: str) -> list[Window]:
    feature = features_by_name().get(name)
    windows = feature.windows.values() if feature else ()
    return [window for window in windows if counts_finds(kind, window)]
