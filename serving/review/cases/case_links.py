"""Links between cases, limited to the cases that a reviewer may see."""

from dataclasses import dataclass, replace

from serving.access.acting import add_audit_details
from serving.review.cases.case_graph import (
    MAX_CASES_ON_A_STEP,
    MAX_ENDED,
    MAX_NEIGHBOURS,
    MAX_PATH_STEPS,
    MAX_SHARED_ON_A_PATH,
    CaseGraph,
    Neighbour,
    PathStep,
    closeness,
    shares_of,
)
from serving.review.cases.case_records import CaseRow, LinkedCase
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.shared_things import SharedThing


@dataclass(frozen=True)
class CaseLinks:
    """A lookup of what cases have in common."""

    cases: Cases

    def linked(
        self, reviewer: Reviewer, case_id: str, kinds: tuple[str, ...], limit: int
    ) -> list[LinkedCase]:
        """Return other cases that share something of these kinds, newest first."""
        found = self.cases.store.linked(case_id, kinds, reviewer.access, limit)
        return [self._shown_link(link) for link in found]

    def graph(self, reviewer: Reviewer, case_id: str, most: int = MAX_NEIGHBOURS) -> CaseGraph:
        """Return the graph of a case: confirmed neighbours first, then the closest.

        Confirmed ones are sought among the MAX_ENDED closest closed cases. Masked cases are
        counted but not named. Raises NotFound.
        """
        own, _ = self.cases.case(reviewer, case_id)
        things = self.cases.store.shared_things(case_id, reviewer.access)
        close = closeness(things)
        order = sorted(close, key=close.__getitem__, reverse=True)
        closed = {o.case_id for thing in things for o in thing.others if o.is_closed}
        ended = [each for each in order if each in closed][:MAX_ENDED]
        # Closed cases beyond the closest ones too, since confirmed ones come first.
        looked_at = dict.fromkeys([*ended, *order[:most]])
        found = map(self.cases.shown, self.cases.store.cases_of(looked_at, reviewer.access))
        rows = {row.case_id: row for row in found if not self.cases.is_masked(row)}
        confirmed = {each for each in ended if each in rows and self._is_confirmed(rows[each])}
        named = sorted(rows, key=lambda each: (each in confirmed, close[each]), reverse=True)[:most]
        neighbours = tuple(
            Neighbour(rows[each], shares_of(each, things), each in confirmed) for each in named
        )
        is_known = all(thing.is_counted for thing in things)
        add_audit_details(cases=named)
        if self.cases.is_masked(own):
            things = tuple(replace(t, value=self.cases.masking.name(t.value)) for t in things)
        return CaseGraph(case_id, things, neighbours, len(close), is_known)

    def path(self, reviewer: Reviewer, case_id: str, value: str) -> tuple[PathStep, ...] | None:
        """Return the shortest path from a case to one that names a party, container or conveyance.

        Empty if the case itself names it. None if at most MAX_PATH_STEPS steps lead to none through
        cases that the reviewer may see unmasked and things that few cases share. Raises NotFound.
        """
        own, _ = self.cases.case(reviewer, case_id)
        ends = set(self.cases.store.naming(value, reviewer.access))
        paths: dict[str, tuple[PathStep, ...]] = {case_id: ()}
        newest = [] if self.cases.is_masked(own) else [case_id]
        for _ in range(MAX_PATH_STEPS + 1):
            if reached := [each for each in newest if each in ends]:
                add_audit_details(cases=[step.case.case_id for step in paths[reached[0]]])
                return paths[reached[0]]
            newest = self._next_steps(reviewer, newest, paths)
        return None

    def _next_steps(
        self, reviewer: Reviewer, newest: list[str], paths: dict[str, tuple[PathStep, ...]]
    ) -> list[str]:
        """Add the paths that are one step longer; return the cases in which they end."""
        store, found = self.cases.store, dict[str, tuple[str, SharedThing]]()
        for before in newest:
            for thing in store.shared_things(before, reviewer.access):
                if len(thing.others) <= MAX_SHARED_ON_A_PATH:
                    for other in thing.others:
                        found.setdefault(other.case_id, (before, thing))
        new = [each for each in found if each not in paths][:MAX_CASES_ON_A_STEP]
        rows = map(self.cases.shown, store.cases_of(new, reviewer.access))
        by_id = {row.case_id: row for row in rows if not self.cases.is_masked(row)}
        for each in (each for each in new if each in by_id):
            before, thing = found[each]
            paths[each] = (*paths[before], PathStep(thing, by_id[each]))
        return [each for each in new if each in by_id]

    def sharing(self, reviewer: Reviewer, case_id: str, kind: str, value: str) -> list[str]:
        """Return the open cases that share one thing with a case."""
        things = self.cases.store.shared_things(case_id, reviewer.access)
        return [
            other.case_id
            for thing in things
            if (thing.kind, thing.value) == (kind, value)
            for other in thing.others
            if not other.is_closed
        ]

    def _shown_link(self, link: LinkedCase) -> LinkedCase:
        row = self.cases.shown(link.case)
        if not self.cases.is_masked(row):
            return link
        named = tuple((kind, self.cases.masking.name(value)) for kind, value in link.shared)
        return LinkedCase(row, named)

    def _is_confirmed(self, row: CaseRow) -> bool:
        """Return whether a case ended with a find of smuggling."""
        result = self.cases.result_of(row)
        return result is not None and result.label == "confirmed"
