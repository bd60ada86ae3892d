"""Cases as releases before 0.1.0 stored them, under the actions and results of now.

The state of a case is encrypted and is rewritten when the case changes next: reading takes what
former releases wrote. They had one list of ends, with no action before them.
"""

from typing import Any, Final

_PAPERS: Final = (None, "documents", "post_clearance")

_RESULTS: Final = {
    "confirmed_smuggling_goods": ("inspect", "goods_found"),
    "confirmed_migrant_smuggling": ("inspect", "persons_found"),
    "other_offence": ("inspect", "other_offence"),
    "no_finding_after_inspection": ("inspect", "nothing_found"),
    "no_finding_after_document_check": ("check_documents", "documents_in_order"),
    "inconclusive": ("inspect", "inconclusive"),
    "people_helped": ("rescue", "people_helped"),
    "nobody_in_danger": ("rescue", "nobody_in_danger"),
    "nobody_found": ("rescue", "nobody_found"),
    "taken_over_elsewhere": ("rescue", "taken_over_elsewhere"),
}
_STATUS: Final = {
    "claimed": "assigned",
    "snoozed": "waiting",
    "second_review": "result_in",
}
_FORMER: Final = {"disposition", "proposed", "proposed_by", "snoozed_until"}


def with_current_case(state: Any) -> Any:
    """The state of a case under the names of now; anything else is returned as it is."""
    if not isinstance(state, dict) or (
        _FORMER.isdisjoint(state) and state.get("status") not in _STATUS
    ):
        return state
    kept = {name: value for name, value in state.items() if name not in _FORMER}
    by = state.get("proposed_by")
    proposed = state.get("proposed") if by and state["status"] != "closed" else None
    status = "result_in" if proposed else _STATUS.get(state["status"], state["status"])
    until = state.get("snoozed_until")
    if until is not None and state["status"] in ("snoozed", "waiting"):
        reason = "documents" if state["status"] == "waiting" else "other"
        kept |= {"waiting_until": until, "waiting_for": reason}
        status = "waiting"
    kept |= {"status": status}
    if proposed:
        kept |= _ended(proposed) | {"result": None}
        kept["proposal"] = {"by": by, "at": _LONG_AGO, "result": _result(proposed)}
    if (end := state.get("disposition")) is not None:
        ended_by = [who for who in (by, state.get("owner")) if who is not None]
        kept |= _ended(end) | {"ended_by": ended_by}
    return kept


_LONG_AGO: Final = "2026-01-01T00:00:00Z"
"""When something was proposed that has no instant of its own; its event has it."""


def _ended(end: dict[str, Any]) -> dict[str, Any]:
    """Return what was ordered, and what it found, as one end of a former release tells it."""
    result = _result(end)
    if result is None:
        is_protection = end["code"] == "referred_protection"
        action = {"kind": "refer", "refer_to": "protection"} if is_protection else _RELEASE
        return {"action": {**action, "text": end["text"] or end["code"]}, "result": None}
    if result["found_by"] == "rescue":
        return {"action": None, "result": result}
    return {"action": {"kind": result["found_by"]}, "result": result}


_RELEASE: Final = {"kind": "release"}


def _result(end: dict[str, Any]) -> dict[str, Any] | None:
    """A former end as a result; None where nobody looked."""
    code, examination = end["code"], end.get("finding", {}).get("examination")
    found = _RESULTS.get(code)
    if code == "document_irregularity":
        is_of_papers = examination in _PAPERS
        found = ("check_documents" if is_of_papers else "inspect", "documents_irregular")
    if found is None:
        return None
    is_forged = end["reason"] == "documents_false" and found[1] in _MAY_BE_FORGED
    reason = "documents_false" if is_forged else "other"
    return {**end, "found_by": found[0], "code": found[1], "reason": reason}


_MAY_BE_FORGED: Final = ("goods_found", "persons_found", "other_offence", "documents_irregular")
