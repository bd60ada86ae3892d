"""Resolve messages of one interchange that amend or withdraw each other's records."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from features.messages.conversion import Conversion, MadeRecord, Withdrawal
from features.records import RECORD_FILES

Key = tuple[str, tuple[Any, ...]]


def drop_superseded(conversion: Conversion) -> Conversion:
    """Drop the records that a later message of the interchange amends or withdraws.

    A record restated after its withdrawal becomes an amendment of what was known before.
    """
    numbered = list(enumerate(conversion.records))
    replaced = _places(
        [(_key(made), at) for at, made in numbered if made.amended_at is not None]
        # Half a step before the next record, so that it sorts between the records around it.
        + [(_named(each), each.behind - 0.5) for each in conversion.withdrawals]
    )
    if not replaced:
        return conversion
    records = [made for at, made in numbered if not _is_replaced(made, at, replaced)]
    stated = _places([(_key(made), at) for at, made in numbered])
    withdrawals, void = [], {}
    for each in conversion.withdrawals:
        if stated.get(_named(each), -1.0) > each.behind - 0.5:
            void[_named(each)] = each.at
        else:
            withdrawals.append(each)
    return replace(
        conversion,
        records=tuple(
            replace(made, amended_at=made.amended_at or void.get(_key(made))) for made in records
        ),
        withdrawals=tuple({_named(each): each for each in withdrawals}.values()),
    )


def _places(positions: Iterable[tuple[Key, float]]) -> dict[Key, float]:
    """Return the last position of each key."""
    last: dict[Key, float] = {}
    for key, at in positions:
        last[key] = max(at, last.get(key, at))
    return last


def _is_replaced(made: MadeRecord, at: int, replaced: dict[Key, float]) -> bool:
    """Return whether a record, or the shipment it is part of, is replaced later."""
    keys = [_key(made)]
    if RECORD_FILES[made.record_type].is_part_of_declaration:
        keys.append(("shipments", (made.fields["shipment_id"],)))
    return any(replaced.get(key, -1.0) > at for key in keys)


def _key(made: MadeRecord) -> Key:
    versions_of = RECORD_FILES[made.record_type].versions_of
    # A type without versions: no other record can replace this one.
    return made.record_type, tuple(made.fields.get(name) for name in versions_of) or (id(made),)


def _named(withdrawal: Withdrawal) -> Key:
    return withdrawal.record_type, tuple(withdrawal.named.values())
