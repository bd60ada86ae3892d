"""Find contradictions within an outcome: a result against its offences or its examination."""

from collections.abc import Sequence

from features.offences import NOT_SMUGGLING, SEEN_IN_DOCUMENTS, Offence, offences_in

FOUND_FIELDS = ("found_mass_kg", "found_items", "found_persons")
# The fields of an outcome that may contradict each other.
FIELDS = ("result", "offences", "examination", *FOUND_FIELDS)

# The error for a result known before the inspection: as a label it would leak the future.
TOO_EARLY = "is before the inspection began"

# The error for a probability of 0: weighted by its inverse, the outcome would count infinitely.
NEVER_SELECTED = "is 0, and the subject was selected"

_OF_PAPERS = frozenset({"documents", "post_clearance"})


def contradiction(
    result: str | None,
    codes: str | None,
    examination: str | None,
    found: Sequence[float | None],
) -> tuple[str, str] | None:
    """Return the contradictory field and the reason; None if the fields agree.

    `found` has the quantities of FOUND_FIELDS. A confirmed outcome need not name its offence.
    """
    offences = frozenset(offences_in(codes))
    quantities = (name for name, n in zip(FOUND_FIELDS, found, strict=False) if n)
    quantity = next(quantities, None)
    if wrong := _against_result(result, offences):
        return "offences", wrong
    if quantity and result not in ("confirmed", "other_offence"):
        return quantity, f"says that something was found, and the result is {result}"
    if result in ("documents_in_order", "documents_irregular"):
        if examination not in (None, *_OF_PAPERS):
            return "examination", f"was more than a check of documents, and the result is {result}"
    elif examination == "documents":
        if result == "not_confirmed":
            return "examination", "was of documents alone: want the result documents_in_order"
        if quantity or not offences <= SEEN_IN_DOCUMENTS:
            return "examination", "was of documents alone, which cannot find that"
    return None


def _against_result(result: str | None, offences: frozenset[Offence]) -> str | None:
    smuggling, others = sorted(offences - NOT_SMUGGLING), sorted(offences & NOT_SMUGGLING)
    if result == "confirmed" and others and not smuggling:
        return f"name no smuggling, which is confirmed; {_listed(others)} alone is other_offence"
    if result == "other_offence":
        if smuggling:
            return f"name {_listed(smuggling)}, which is smuggling: want the result confirmed"
        return None if others else "are not named, and the result is other_offence"
    if result == "documents_irregular":
        physical = sorted(offences - SEEN_IN_DOCUMENTS)
        return f"name {_listed(physical)}, which documents alone cannot show" if physical else None
    if result != "confirmed" and offences:
        return f"name {_listed(smuggling or others)}, and the result is {result}"
    return None


def _listed(offences: Sequence[Offence]) -> str:
    return " and ".join(offences)
