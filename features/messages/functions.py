"""The functions of a message: to declare, to amend or to withdraw what it states.

Each standard has its own code for this. A message with any other code, such as a response to
another message, creates no records, and its code is left over.
"""

from typing import Literal

from features.messages.conversion import RefusedRecord, Withdrawal
from features.messages.record_drafts import RecordDraft, Value
from features.records import RECORD_FILES

Function = Literal["declares", "amends", "withdraws"]

OF_EDIFACT: dict[str, Function] = {
    # UNTDID 1225: confirmation, duplicate, original, advance notification, final, copy, provisional
    # and definitive all count as a first declaration.
    **dict.fromkeys(("", "6", "7", "9", "14", "22", "31", "46", "47"), "declares"),
    # Addition, change, replacement and reissue: the message restates each record in full.
    **dict.fromkeys(("2", "4", "5", "18"), "amends"),
    # Cancellation, deletion and cancellation before a reissue.
    **dict.fromkeys(("1", "3", "17"), "withdraws"),
}
DELETION_OF_PARTS = "3"

OF_CARGO_XML: dict[str, Function] = {
    "CREATION": "declares",
    "UPDATE": "amends",
    "DELETION": "withdraws",
}

# DCSA gives the status of a booking or an instruction; any other status is a declaration.
OF_BOOKINGS: dict[str, Function] = {
    **dict.fromkeys(("CANCELLED", "REJECTED", "DECLINED"), "withdraws"),
    **dict.fromkeys(("UPDATE_RECEIVED", "AMENDMENT_CONFIRMED"), "amends"),
}
OF_INSTRUCTIONS: dict[str, Function] = {
    "CANCELLED": "withdraws",
    "UPDATE_RECEIVED": "amends",
}

ONLY_LOOKED_AT = "who withdraws goods declares no journey: it is looked at for danger to life alone"


def withdrawn_record(draft: RecordDraft, at: Value | None) -> Withdrawal | RefusedRecord:
    """Return the withdrawal of a draft, or a refusal if identifying fields are missing."""
    record = RECORD_FILES[draft.record_type]
    has_subject = "subject_id" in record.model_fields
    wanted = (*record.versions_of, *(("subject_kind", "subject_id") if has_subject else ()))
    lacks = tuple(f"no {name}" for name in wanted if name not in draft.values)
    if lacks or at is None:
        return RefusedRecord(draft.record_type, draft.place, lacks or ("no received_at",))
    contents = {name: draft.values[name].content for name in wanted}
    return Withdrawal(
        record_type=draft.record_type,
        subject=(
            contents.get("subject_kind", "shipment"),
            contents.get("subject_id", contents[wanted[0]]),
        ),
        named={name: contents[name] for name in record.versions_of},
        places={name: draft.values[name].place for name in wanted},
        at=at.content,
    )
