"""Read one message, drop repetitions, and encode the result for another process.

A service reads untrusted messages in separate processes (`reader_process`) without keys: parties
get throwaway pseudonyms, which `with_pseudonyms` replaces later. The result is plain JSON and is
validated again by the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import orjson

from features.errors import MessageRefused
from features.messages.conversion import Conversion, MadeRecord, RefusedRecord, Withdrawal
from features.messages.formats import convert_message
from features.messages.import_files import ImportedFile, drop_repeated_records
from features.messages.options import Options
from features.messages.parties import pseudonym
from features.records import RECORD_FILES

# Maximum number of stored entries of each list of unused parts; the rest is only counted.
MAX_LISTED = 10_000

_LISTS = ("left_over", "withheld", "remarks")
_ANOTHER_POSITION = "another position of the craft at this instant came before"


@dataclass(frozen=True)
class Leftovers:
    """The parts of a message that are in no record: elements and remarks.

    `counts` are the lengths of the lists before truncation, including `not_made`.
    """

    lists: Mapping[str, list[Any]]
    counts: Mapping[str, int]

    @classmethod
    def of(cls, conversion: Conversion) -> Self:
        """Return the parts of a conversion that are in no record."""
        report = conversion.report()
        counts = {name: len(report[name]) for name in _LISTS}
        lists = {name: report[name][:MAX_LISTED] for name in _LISTS}
        return cls(lists, counts | {"not_made": len(conversion.refused)})


def read_once(format: str, message: bytes, options: Options) -> Conversion:
    """Return the conversion of a message without repeated records.

    Raises MessageRefused, also if the message states one record in two ways.
    """
    conversion = convert_message(format, message, options)
    (once,) = drop_repeated_records([ImportedFile(Path(), conversion)])
    assert isinstance(once.outcome, Conversion)
    # Refusals that only the removal of repetitions adds are conflicts within the message.
    contradicted = once.outcome.refused[len(conversion.refused) :]
    if contradicted:
        places = tuple(each.place for each in contradicted)
        wanted = "the message states it otherwise elsewhere"
        raise MessageRefused(places[0], wanted, kind="contradictory", places=places)
    return _first_positions(once.outcome)


def _first_positions(conversion: Conversion) -> Conversion:
    """Keep the first position per craft and instant, since several sentences may repeat it.

    A distress call is kept in addition to an ordinary position.
    """
    first: dict[tuple[Any, ...], MadeRecord] = {}
    kept: list[MadeRecord] = []
    others: list[RefusedRecord] = []
    for made in conversion.records:
        if made.record_type != "positions" or first.setdefault(made.identity, made) is made:
            kept.append(made)
        elif made.fields != first[made.identity].fields:
            place = next(iter(made.places.values()))
            others.append(RefusedRecord("positions", place, (_ANOTHER_POSITION,)))
    return replace(conversion, records=tuple(kept), refused=(*conversion.refused, *others))


def with_pseudonyms(conversion: Conversion, key: bytes) -> Conversion:
    """Replace throwaway pseudonyms by those under a key of the home."""
    names = {given: pseudonym(key, *number) for given, number in conversion.parties.items()}

    def renamed(made: MadeRecord) -> MadeRecord:
        fields = {
            name: names.get(value, value) if isinstance(value, str) else value
            for name, value in made.fields.items()
        }
        return replace(made, fields=fields)

    return replace(
        conversion,
        records=tuple(map(renamed, conversion.records)),
        looked_at=tuple(map(renamed, conversion.looked_at)),
        parties={names[given]: number for given, number in conversion.parties.items()},
    )


def encode(conversion: Conversion) -> bytes:
    """Encode a conversion as JSON; long lists of unused parts are truncated."""
    leftovers = Leftovers.of(conversion)
    return orjson.dumps(
        {
            "standard": conversion.standard,
            "kind": conversion.kind,
            "message_id": conversion.message_id,
            "elements_used": conversion.elements_used,
            "records": list(map(_plain_record, conversion.records)),
            "looked_at": list(map(_plain_record, conversion.looked_at)),
            "withdrawals": [
                [each.record_type, each.subject, each.named, each.places, each.at.isoformat()]
                for each in conversion.withdrawals
            ],
            "refused": [
                [each.record_type, each.place, each.reasons]
                for each in conversion.refused[:MAX_LISTED]
            ],
            "lists": leftovers.lists,
            "counts": leftovers.counts,
            "parties": conversion.parties,
        }
    )


def decode(encoded: bytes) -> tuple[Conversion, Leftovers]:
    """Decode the JSON of `encode`; left-over and withheld elements are listed by path only.

    Raises ValueError, TypeError or KeyError for any other input.
    """
    document = orjson.loads(encoded)
    lists = {name: list(document["lists"][name]) for name in _LISTS}
    counts = {name: int(document["counts"][name]) for name in (*_LISTS, "not_made")}
    conversion = Conversion(
        standard=str(document["standard"]),
        kind=str(document["kind"]),
        message_id=str(document["message_id"]),
        records=tuple(map(_record, document["records"])),
        refused=tuple(
            RefusedRecord(_record_type(kind), str(place), tuple(map(str, reasons)))
            for kind, place, reasons in document["refused"]
        ),
        # Returned as `Leftovers` instead.
        left_over=(),
        withheld=(),
        remarks=(),
        elements_used=int(document["elements_used"]),
        withdrawals=tuple(map(_withdrawal, document["withdrawals"])),
        looked_at=tuple(map(_record, document["looked_at"])),
        parties={
            str(given): (str(register), str(number))
            for given, (register, number) in document["parties"].items()
        },
    )
    return conversion, Leftovers(lists, counts)


def _plain_record(made: MadeRecord) -> list[Any]:
    fields = {
        # JSON has no instants: an object distinguishes them from texts.
        name: {"at": value.isoformat()} if isinstance(value, datetime) else value
        for name, value in made.fields.items()
    }
    amended_at = made.amended_at and made.amended_at.isoformat()
    return [made.record_type, fields, made.places, amended_at]


def _record(value: Any) -> MadeRecord:
    kind, plain, places, amended_at = value
    fields = {
        str(name): datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value
        for name, value in plain.items()
    }
    # Validated again because the reader process may have been taken over by its input.
    RECORD_FILES[_record_type(kind)].model_validate(fields)
    at = None if amended_at is None else datetime.fromisoformat(amended_at)
    return MadeRecord(kind, fields, _texts(places), at)


def _withdrawal(value: Any) -> Withdrawal:
    kind, (subject_kind, subject_id), named, places, at = value
    return Withdrawal(
        _record_type(kind),
        (str(subject_kind), str(subject_id)),
        {str(name): value for name, value in named.items()},
        _texts(places),
        datetime.fromisoformat(at),
    )


def _record_type(value: Any) -> str:
    if value not in RECORD_FILES:
        raise ValueError("want a type of records")
    return str(value)


def _texts(value: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()}
