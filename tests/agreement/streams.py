"""Random record streams: few keys and few instants, so that much of it meets and ties."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
from hypothesis import strategies as st

from features.arrow_schema import arrow_schema
from features.catalogue import windows
from features.ingest.record_files import write_records
from features.records import CONCLUSIVE, RECORD_FILES, EventKind, Result

Row = dict[str, Any]
Stream = dict[str, list[Row]]
"""The rows of each record type."""

# Midnight of a new year, and instants that lie a window's length and a microsecond away from it.
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
DAYS_AWAY = (0, 0, 0, 1, 6, 7, 10, 30, 90, 365, 366)
instants = st.builds(
    lambda days, beside: NEW_YEAR + timedelta(days=days, microseconds=beside),
    st.sampled_from([*DAYS_AWAY, *(-days for days in DAYS_AWAY)]),
    st.sampled_from((0, 0, -1, 1, 3_599_999_999, 22 * 3_600_000_000)),
)


def some(*values: object) -> st.SearchStrategy[Any]:
    """One of a few values, or none."""
    return st.sampled_from((*values, None))


PLACES = ("NLRTM", "TRIST", "CNSHA", "BG-TR/KAPIKULE", "XXNON")
# Of a real currency without a rate nothing is known but its amount.
CURRENCIES = ("EUR", "USD", "HUF", "XPF")
OFFENCES = {"confirmed": "cash", "other_offence": "other"}
parties = st.sampled_from(["k1", "k2", "k3"])
maybe_parties = some("k1", "k2")
countries = st.sampled_from(["CN", "TR", "NL"])
masses = some(0.0, 0.5, 10.0, 10.1, 1000.0, 33.333, 1e10)
values = some(0.0, 0.005, 50.0, 9_999.99, 10_000.0, 33.33, 1e12)
goods = st.sampled_from(["890310", "890320", "240220"])
commodities = st.sampled_from(["8903100000", "890320", "2402200011", "84072191"])
JOURNEY_IDS, SHIPMENT_IDS = ("J0", "J1", "J2", "J3"), ("S0", "S1", "S2", "S3", "S4", "S5")

journey = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["sea", "road"]),
        "carrier_id": parties,
        "conveyance_id": st.sampled_from(["v1", "v2"]),
        "conveyance_kind": st.sampled_from(["truck", "container_ship"]),
        "registration_country": some("CN", "TR"),
        "origin": st.sampled_from(PLACES),
        "destination": st.sampled_from(PLACES),
        "booked_at": st.none() | instants,
        "declared_at": instants,
        "due_at": instants,
        "certified_capacity": some(0, 500),
        "declared_cargo_mass_kg": masses,
        "hire_started_at": st.none() | instants,
        "hire_return_location": some(*PLACES),
    }
)
shipment = st.fixed_dictionaries(
    {
        "journey_id": some(*JOURNEY_IDS, "J-unknown"),
        "consignor_id": parties,
        "consignee_id": parties,
        "notify_party_id": maybe_parties,
        "forwarder_id": maybe_parties,
        "declarant_id": maybe_parties,
        "hs_code": goods | st.none(),
        "goods_description": some("outboard motors", "rubber boats"),
        "origin_country": countries,
        "dispatch_country": countries,
        "destination_country": countries,
        "office_id": some("o1"),
        "gross_mass_kg": masses,
        "net_mass_kg": masses,
        "volume_m3": some(0.0, 2.5),
        "packages": some(0, 3),
        "declared_value": values,
        "currency": st.sampled_from(CURRENCIES),
        "tax_rate": some(0.0, 4.2),
        "tax_type": some("A"),
        "payment_type": some("C"),
        "import_type": some("11"),
        "container_number": some("CSQU3054383", "CSQU3054384"),
        "seal_number": some("s1"),
        "declared_at": instants,
    }
)
goods_item = st.fixed_dictionaries(
    {
        "shipment_id": st.sampled_from(SHIPMENT_IDS),
        "number": st.integers(1, 4),
        "commodity_code": commodities,
        "nomenclature": some("cn", "htsus"),
        "description": some("inflatable boats", "Cartons of corrugated paper", "goods"),
        "origin_country": some("CN", "TR"),
        "gross_mass_kg": masses,
        "net_mass_kg": masses,
        "value": values,
        "currency": st.sampled_from(CURRENCIES),
        "packages": some(0, 3, 4),
        "known_at": st.none() | instants,
    }
)
JOURNEY = {
    "mode": "sea",
    "carrier_id": "k1",
    "conveyance_id": "v1",
    "conveyance_kind": "container_ship",
    "registration_country": "CN",
    "origin": "CNSHA",
    "destination": "NLRTM",
    "due_at": NEW_YEAR,
    "certified_capacity": 500,
    "declared_cargo_mass_kg": 10.0,
}
LEG = {"origin": "CNSHA", "destination": "NLRTM", "mode": "sea"}
POSITION = {"latitude": 41.0, "longitude": 28.9, "speed_kn": 2.0}
DRIFTING = {"latitude": 0.0, "longitude": 180.0, "speed_kn": 0.5}
SHIPMENT = {
    "journey_id": "J0",
    "consignor_id": "k2",
    "consignee_id": "k1",
    "forwarder_id": "k1",
    "declarant_id": "k1",
    "hs_code": "890310",
    "goods_description": "rubber boats",
    "origin_country": "CN",
    "dispatch_country": "CN",
    "destination_country": "NL",
    "office_id": "o1",
    "gross_mass_kg": 10.1,
    "net_mass_kg": 10.0,
    "volume_m3": 2.5,
    "packages": 3,
    "declared_value": 50.0,
    "currency": "EUR",
    "tax_rate": 4.2,
    "tax_type": "A",
    "payment_type": "C",
    "import_type": "11",
    "container_number": "CSQU3054383",
    "seal_number": "s1",
}
GOODS_ITEM = {
    "commodity_code": "8903100000",
    "description": "inflatable boats",
    "origin_country": "CN",
    "gross_mass_kg": 5.0,
    "net_mass_kg": 4.0,
    "value": 20.0,
    "currency": "EUR",
    "packages": 1,
}
DOCUMENT = {
    "kind": "invoice",
    "number": "n1",
    "version": 1,
    "consignor_id": "k2",
    "consignee_id": "k1",
    "gross_mass_kg": 10.1,
    "packages": 3,
    "value": 50.0,
    "currency": "EUR",
    "container_number": "CSQU3054383",
    "seal_number": "s1",
}
TRANSACTION = {
    "payer_id": "k1",
    "payee_id": "k2",
    "payer_country": "CN",
    "amount": 8_000.0,
    "currency": "EUR",
    "method": "cash",
    "purpose": "deposit",
    "payer_iban_valid": True,
}
EVENT = {"kind": "gate_out", "place": "NLRTM", "container_number": "CSQU3054383"}
of_subjects = st.sampled_from(
    [
        {"subject_kind": kind, "subject_id": id_}
        for kind, ids in (("route", JOURNEY_IDS), ("shipment", SHIPMENT_IDS))
        for id_ in ids
    ]
)
leg = st.fixed_dictionaries(
    {
        "journey_id": st.sampled_from(JOURNEY_IDS),
        "origin": st.sampled_from(PLACES),
        "destination": st.sampled_from(PLACES),
        "mode": some("sea", "road"),
        "departed_at": st.none() | instants,
        "arrived_at": st.none() | instants,
        "known_at": st.none() | instants,
    }
)
position = st.fixed_dictionaries(
    {
        "journey_id": st.sampled_from(JOURNEY_IDS),
        "observed_at": instants,
        "latitude": st.sampled_from([-90.0, 0.0, 40.75, 41.0]),
        "longitude": st.sampled_from([-180.0, 28.9, 180.0]),
        "speed_kn": some(0.0, 1.9, 2.0),
    }
)
document = st.fixed_dictionaries(
    {
        "subject": of_subjects,
        "kind": st.sampled_from(["manifest", "invoice", "permit", "transit", "packing_list"]),
        "number": some("n1", "n2"),
        "version": st.integers(1, 2),
        "issued_at": st.none() | instants,
        "expires_at": st.none() | instants,
        "received_at": instants,
        "consignor_id": maybe_parties,
        "consignee_id": maybe_parties,
        "gross_mass_kg": masses,
        "packages": some(0, 3, 4),
        "value": values,
        "currency": st.sampled_from(CURRENCIES),
        "container_number": some("CSQU3054383"),
        "seal_number": some("s1", "s2"),
    }
)
transaction = st.fixed_dictionaries(
    {
        "subject": of_subjects,
        "payer_id": parties,
        "payee_id": parties,
        "payer_country": some("CN", "RU"),
        "amount": values.map(lambda value: 8_000.0 if value is None else value),
        "currency": st.sampled_from(CURRENCIES),
        "method": st.sampled_from(["cash", "card", "money_service", "virtual_asset", "netting"]),
        "purpose": some("goods", "freight", "deposit", "release", "other"),
        "payer_iban_valid": some(True, False),
        "paid_at": instants,
        "known_at": instants,
    }
)
event = st.fixed_dictionaries(
    {
        "subject": of_subjects,
        "kind": st.sampled_from(get_args(EventKind)),
        "occurred_at": instants,
        "known_at": instants,
        "place": some(*PLACES),
        "container_number": some("CSQU3054383", "CSQU3054384"),
        "time_limit_at": st.none() | instants,
    }
)
outcome = st.fixed_dictionaries(
    {
        "subject": of_subjects,
        "selected_by": st.sampled_from(["random", "model"]),
        "inspected_at": instants,
        "known_at": instants,
        "result": st.sampled_from(get_args(Result)),
    }
).map(
    lambda row: row | ({"offences": OFFENCES[row["result"]]} if row["result"] in OFFENCES else {})
)


def numbered(rows: list[Row], field: str, ids: str) -> list[Row]:
    """Rows with ids whose order is not that of the file."""
    return [{field: f"{ids}{len(rows) - at}"} | row for at, row in enumerate(rows)]


def beside_subjects(rows: list[Row]) -> list[Row]:
    """Rows with the two fields that name their subject."""
    return [row.pop("subject") | row for row in map(dict, rows)]


def first_of_each(rows: list[Row], *identity: str) -> list[Row]:
    """Of rows with one identity the first."""
    return [*{tuple(row[name] for name in identity): row for row in reversed(rows)}.values()]


def with_goods_codes(shipments: list[Row], items: list[Row]) -> list[Row]:
    """Shipments with codes that their items have, or with none; without items always with one."""
    codes: dict[str, set[str]] = {}
    for item in items:
        if item["known_at"] is None:
            codes.setdefault(item["shipment_id"], set()).add(item["commodity_code"][:6])
    made = []
    for row in shipments:
        own = codes.get(row["shipment_id"])
        is_right = row["hs_code"] in own if own else row["hs_code"] is not None
        made.append(row if is_right else row | {"hs_code": None if own else "890310"})
    return made


inspected_goods = st.fixed_dictionaries(
    {"hs_code": goods, "known_at": instants, "result": st.sampled_from([*CONCLUSIVE])}
)


@st.composite
def inspected_before(draw: st.DrawFn) -> Stream:
    """A shipment of several goods, and what inspections found of such goods, or nothing of both.

    Rows that are drawn one by one seldom meet so: a shipment, its item, an earlier one of the same
    heading, and a finding on that which was known in time.
    """
    found = draw(st.just([]) | st.lists(inspected_goods, min_size=1, max_size=4))
    of_goods = goods_item.map(lambda item: item | {"shipment_id": "S-goods"})
    items = draw(st.lists(of_goods, min_size=1, max_size=3)) if found else []
    items = first_of_each(items, "shipment_id", "number")
    own = [draw(shipment) | {"shipment_id": "S-goods"}] if found else []
    old = {f"S-found-{at}": row for at, row in enumerate(found)}
    long_ago = {"declared_at": NEW_YEAR - timedelta(days=500)}
    outcome = {"subject_kind": "shipment", "selected_by": "random", "inspected_at": NEW_YEAR}
    return {
        "shipments": with_goods_codes(own, items)
        + [
            {**SHIPMENT, **long_ago, "shipment_id": id_, "hs_code": row["hs_code"]}
            for id_, row in old.items()
        ],
        "goods_items": items,
        "outcomes": [
            {**outcome, "subject_id": id_, "known_at": row["known_at"], "result": row["result"]}
            for id_, row in old.items()
        ],
    }


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """The record files of one small history, any of them empty."""
    stream: Stream = draw(separate_rows())
    found: Stream = draw(inspected_before())
    return stream | {name: [*rows, *stream[name]] for name, rows in found.items()}


@st.composite
def separate_rows(draw: st.DrawFn) -> Stream:
    """A small history of which each row is drawn by itself."""

    def up_to(many: int, one: st.SearchStrategy[Row]) -> list[Row]:
        return draw(st.lists(one, max_size=many))

    def of_ids(field: str, ids: tuple[str, ...], one: st.SearchStrategy[Row]) -> list[Row]:
        return [{field: id_} | row for id_, row in zip(ids, up_to(len(ids), one), strict=False)]

    legs = [{**row, "sequence": 9 - at} for at, row in enumerate(up_to(8, leg))]
    items = first_of_each(up_to(12, goods_item), "shipment_id", "number")
    shipments = of_ids("shipment_id", SHIPMENT_IDS, shipment)
    return {
        "journeys": of_ids("journey_id", JOURNEY_IDS, journey),
        "legs": legs,
        "positions": up_to(8, position),
        "shipments": with_goods_codes(shipments, items),
        "goods_items": items,
        "documents": numbered(beside_subjects(up_to(10, document)), "document_id", "D"),
        "transactions": numbered(beside_subjects(up_to(12, transaction)), "transaction_id", "T"),
        "events": numbered(beside_subjects(up_to(10, event)), "event_id", "E"),
        "outcomes": first_of_each(
            beside_subjects(up_to(10, outcome)),
            *("subject_kind", "subject_id", "inspected_at", "known_at"),
        ),
    }


EDGES = [
    NEW_YEAR - timedelta(days=days)
    for days in sorted({0, *(window.days for window in windows() if window.days)}, reverse=True)
]
"""Where the windows of a subject at the new year begin, and where all of them end."""

MEETINGS = [
    ("J0", NEW_YEAR - timedelta(days=30)),
    ("J1", NEW_YEAR - timedelta(days=30)),
    ("J-tie", NEW_YEAR - timedelta(microseconds=1)),
    ("J2", NEW_YEAR - timedelta(microseconds=1)),
    ("J2", NEW_YEAR),
]
"""Who drifted in one place, and when: where the window of meetings begins and where it ends."""


def on_every_edge() -> Stream:
    """A history of one key whose events lie on the very edges of windows.

    Subjects, findings on older ones, payments and what `J0` and `S0` bring are known where a window
    of the two begins, which counts, or where it ends, which does not.
    """
    long_ago = NEW_YEAR - timedelta(days=500)
    journeys = {f"J{at}": edge for at, edge in enumerate(reversed(EDGES))}
    shipments = {f"S{at}": edge for at, edge in enumerate(reversed(EDGES))}
    found = {f"-old-{at}": edge for at, edge in enumerate(EDGES)}
    own = [("route", "J0"), ("shipment", "S0")]
    return {
        "journeys": [
            {**JOURNEY, "journey_id": id_, "declared_at": declared_at}
            for id_, declared_at in {**journeys, "J-tie": NEW_YEAR}.items()
        ]
        + [{**JOURNEY, "journey_id": f"J{id_}", "declared_at": long_ago} for id_ in found],
        "legs": [
            {**LEG, "journey_id": "J0", "sequence": at + 1, "departed_at": edge, "known_at": edge}
            for at, edge in enumerate(EDGES)
        ],
        "positions": [{**POSITION, "journey_id": "J0", "observed_at": edge} for edge in EDGES]
        + [{**DRIFTING, "journey_id": id_, "observed_at": at} for id_, at in MEETINGS],
        "shipments": [
            {**SHIPMENT, "shipment_id": id_, "declared_at": declared_at}
            for id_, declared_at in {**shipments, "S-tie": NEW_YEAR}.items()
        ]
        + [{**SHIPMENT, "shipment_id": f"S{id_}", "declared_at": long_ago} for id_ in found],
        "goods_items": [
            {**GOODS_ITEM, "shipment_id": "S0", "number": at, "known_at": edge}
            for at, edge in enumerate([*EDGES, None], 1)
        ],
        "documents": [
            {
                **DOCUMENT,
                "document_id": f"D{kind}{at}",
                "subject_kind": kind,
                "subject_id": id_,
                "received_at": edge,
            }
            for kind, id_ in own
            for at, edge in enumerate(EDGES)
        ]
        + [
            {
                **DOCUMENT,
                "document_id": f"P{id_}{at}",
                "kind": "permit",
                "subject_kind": "shipment",
                "subject_id": id_,
                "received_at": edge,
            }
            for id_ in ("S0", "S-old-0")
            for at, edge in enumerate(EDGES)
        ],
        "transactions": [
            {
                **TRANSACTION,
                "transaction_id": f"T{id_}{at}",
                "subject_kind": kind,
                "subject_id": id_,
                "paid_at": edge,
                "known_at": edge,
            }
            for kind, id_ in (*own, ("route", "J-old-0"), ("shipment", "S-old-0"))
            for at, edge in enumerate(EDGES)
        ],
        "events": [
            {
                **EVENT,
                "kind": event_kind,
                "event_id": f"E{kind}{event_kind}{at}",
                "subject_kind": kind,
                "subject_id": id_,
                "occurred_at": edge,
                "known_at": edge,
                "time_limit_at": edge,
            }
            for kind, id_ in own
            for event_kind in get_args(EventKind)
            for at, edge in enumerate(EDGES)
        ],
        "outcomes": [
            {
                "subject_kind": kind,
                "subject_id": f"{start}{id_}",
                "selected_by": "random",
                "inspected_at": edge,
                "known_at": edge,
                "result": result,
            }
            for kind, start in (("route", "J"), ("shipment", "S"))
            for id_, edge, result in (
                *((id_, edge, "confirmed") for id_, edge in found.items()),
                ("-old-0", long_ago, "not_confirmed"),  # so that one finding more moves a rate
            )
        ],
    }


def write(stream: Stream, folder: Path) -> None:
    """The record files of a stream."""
    folder.mkdir()
    for name, record in RECORD_FILES.items():
        schema = pa.schema(field.with_nullable(True) for field in arrow_schema(record))
        first = {"version": 1, "withdrawn": False}
        rows = [first | row for row in stream[name]]
        write_records(folder, name, pa.Table.from_pylist(rows, schema))
