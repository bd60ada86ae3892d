"""Every window of every subject in plain SQL over the record files: an oracle for the kernels.

It shares nothing with what it is held against but the declarations of windows, the schema of record
files, and two tables of facts: where places are, and what a euro is in other currencies. What one
record implies, what is attached to a subject and which inspections count is written here once more,
as a reader of the records would write it.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb

from features.arrow_schema import INSTANT, arrow_schema
from features.engine.windows.window_declaration import NETWORK, Window
from features.records import RECORD_FILES, Record, SubjectKind
from features.reference.currencies import known_currencies, months, rate_by_month, round_unit
from features.reference.de_minimis import de_minimis_limits
from features.reference.geography.places import place_table
from features.reference.reporting_limits import reporting_limits

HOUR, DAY = "3600000000::DOUBLE", "86400000000::DOUBLE"
DAY_US = 86_400_000_000

RATES = rate_by_month().reshape(-1, len(months()))
# The rates of a currency by month, as a list; the first month is January of FIRST_YEAR.
FIRST_YEAR = int(months()[0][:4])
PER_EUR = f"""(CASE currency {
    " ".join(
        f"WHEN '{currency}' THEN {rates.tolist()}::DOUBLE[]"
        for currency, rates in zip(known_currencies(), RATES, strict=True)
    )
} END)[month_of(us)]"""

FREE = " ".join(f"WHEN '{name}' THEN {of}" for name, of in de_minimis_limits().items() if of > 0)

MACROS = f"""
CREATE MACRO whole(x) AS x::DOUBLE::BIGINT;  -- to the nearest, halves to even
CREATE MACRO ratio(part, of_all) AS CASE WHEN of_all > 0 THEN part / of_all END;
CREATE MACRO at_most(x, highest) AS CASE WHEN x > highest THEN highest ELSE x END;
CREATE MACRO at_least(x, lowest) AS CASE WHEN x < lowest THEN lowest ELSE x END;
CREATE MACRO log_micro(x) AS whole(ln(CASE WHEN x > 0 THEN x END) * 1e6);
CREATE MACRO to_digits(x, digits) AS  -- binary ones
    x * (2::DOUBLE ** (53 - digits) + 1) - (x * (2::DOUBLE ** (53 - digits) + 1) - x);
CREATE MACRO party(id) AS 'party ' || id;
CREATE MACRO craft(id) AS 'conveyance ' || id;
CREATE MACRO present(ids) AS list_filter(ids, lambda id: id IS NOT NULL);
CREATE MACRO is_so(condition) AS coalesce(condition, false)::INT;
CREATE MACRO is_none_of(x, others) AS
    CASE WHEN x IS NOT NULL THEN 1 - is_so(list_contains(others, x)) END;
CREATE MACRO hours(earlier, later) AS (later - earlier) / {HOUR};
CREATE MACRO minutes(earlier, later) AS whole(hours(earlier, later) * 60);
CREATE MACRO free_up_to(country) AS (CASE country {FREE} END)::DOUBLE;
CREATE MACRO more_ppm(stated, declared) AS
    whole(at_most((stated - declared) / CASE WHEN declared > 0 THEN declared END, 1e3) * 1e6);
CREATE MACRO haversine(lat_1, lon_1, lat_2, lon_2) AS
    sin(radians(lat_2 - lat_1) / 2) ** 2
    + cos(radians(lat_1)) * cos(radians(lat_2)) * sin(radians(lon_2 - lon_1) / 2) ** 2;
CREATE MACRO metres(lat_1, lon_1, lat_2, lon_2) AS whole(
    2 * 6371.0088::DOUBLE * asin(sqrt(at_most(haversine(lat_1, lon_1, lat_2, lon_2), 1))) * 1000);
CREATE MACRO months_until(us) AS
    12 * (year(make_timestamp(us)) - {FIRST_YEAR}) + month(make_timestamp(us));
CREATE MACRO month_of(us) AS least(greatest(months_until(us), 1), {len(months())});
CREATE MACRO eur_cents(amount, currency, us) AS whole(amount / {PER_EUR} * 100)::DOUBLE;
"""

BEFORE_ALL = "-62135596800000000"  # the first of January of the year 1

JOURNEYS = """
SELECT j.* REPLACE (declared_at AS known_at), journey_id AS subject_id, journey_id AS record_id,
    o.country AS origin_country, d.country AS destination_country,
    whole(declared_cargo_mass_kg * 1000) AS declared_cargo_mass_g,
    log_micro(declared_cargo_mass_kg) AS declared_cargo_mass_log_micro,
    whole(log_micro(metres(o.latitude, o.longitude, d.latitude, d.longitude) / 1000) / 1000)
        AS distance_log_milli,
    distance_log_milli ** 2 AS squared_distance_log_milli
FROM raw_journeys j LEFT JOIN places o ON o.code = j.origin
LEFT JOIN places d ON d.code = j.destination
"""

FOREVER = 9_000_000_000_000_000_000


def with_lifetimes(rows: str, record: type[Record]) -> str:
    """The versions that ever counted of the records of one type: from when, and until when.

    A later version of a record ends those before it, once it is known.
    """
    own, fields = record.known_from, record.model_fields
    known = f"greatest(coalesce(known_at, {own}), {own})" if "known_at" in fields else own
    known = f"coalesce({known}, {BEFORE_ALL})" if record.is_part_of_declaration else known
    order = "version" if "version" in fields else "known_at"
    version = ", coalesce(version, 1) AS version" if "version" in fields else ""
    ids = ", ".join(record.versions_of)
    declared = (
        ""
        if "declared_at" not in fields
        else f"""
        REPLACE (first(declared_at) OVER (PARTITION BY {ids} ORDER BY {known}, declared_at)
            AS declared_at)"""
    )
    ends = "true" if record.versions_replace else "withdrawn"
    return f"""
    WITH told AS (
        SELECT * REPLACE (coalesce(withdrawn, false) AS withdrawn {version}) FROM ({rows})
    )
    SELECT * {declared}, {known} AS counts_from,
        coalesce(min(CASE WHEN {ends} THEN {known} END) OVER later, {FOREVER}) AS counts_until
    FROM told WINDOW later AS (PARTITION BY {ids} ORDER BY {order}
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
    QUALIFY NOT withdrawn AND coalesce(counts_from, {BEFORE_ALL}) < counts_until
    """


COMPLETED_SHIPMENTS = """
SELECT s.* REPLACE (coalesce(hs_code, principal[1:6]) AS hs_code) FROM raw_shipments s LEFT JOIN (
    SELECT shipment_id, first(commodity_code ORDER BY
        coalesce(eur_cents(i.value, i.currency, s.declared_at), -1) DESC,
        coalesce(i.gross_mass_kg, -1) DESC, i.number) AS principal
    FROM raw_goods_items i JOIN raw_shipments s USING (shipment_id)
    WHERE i.known_at IS NULL GROUP BY shipment_id
) USING (shipment_id)
"""

SHIPMENTS = r"""
WITH valued AS (
    SELECT *, CASE WHEN net_mass_kg > 0 THEN net_mass_kg ELSE gross_mass_kg END AS mass_kg,
        eur_cents(declared_value, currency, declared_at) AS declared_value_eur_cents
    FROM completed_shipments
), priced AS (
    SELECT *, ratio(declared_value_eur_cents / 100, mass_kg) AS unit_value FROM valued
), beside AS (
    SELECT p.place_in_file, p.counts_from, p.counts_until,
        unnest([j.counts_from, j.counts_until]) AS cut
    FROM priced p JOIN raw_journeys j USING (journey_id) WHERE j.declared_at < p.declared_at
), cuts AS (
    SELECT place_in_file, counts_from AS cut FROM priced
    UNION SELECT place_in_file, counts_until FROM priced
    UNION SELECT place_in_file, cut FROM beside WHERE counts_from < cut AND cut < counts_until
), spans AS (
    SELECT place_in_file, cut AS begins,
        lead(cut) OVER (PARTITION BY place_in_file ORDER BY cut) AS ends FROM cuts
    QUALIFY ends IS NOT NULL
)
SELECT p.* REPLACE (begins AS counts_from, ends AS counts_until, p.declared_at AS known_at),
    shipment_id AS subject_id, shipment_id AS record_id,
    j.mode AS journey_mode, j.carrier_id AS journey_carrier_id,
    j.conveyance_id AS journey_conveyance_id, j.due_at AS journey_due_at,
    o.country AS journey_origin_country, d.country AS journey_destination_country,
    whole(mass_kg * 1000) AS mass_g,
    whole(at_most(unit_value, 1e9) * 1e6) AS unit_value_micro_eur_per_kg,
    log_micro(unit_value) AS unit_value_log_micro,
    to_digits(ratio(declared_value, mass_kg), 20) AS rounded_unit_value,
    to_digits(unit_value, 5) AS unit_value_band,
    log_micro(mass_kg) AS mass_log_micro,
    to_digits(mass_kg, 3) AS mass_band,
    whole(ratio(gross_mass_kg, volume_m3) * 1000) AS density_g_per_m3,
    whole(ratio(gross_mass_kg, packages) * 1000) AS package_mass_g,
    whole(at_most(ratio(net_mass_kg, gross_mass_kg), 1e3) * 1e6) AS net_share_ppm,
    array_to_string(regexp_extract_all(lower(goods_description), '[\p{L}\p{N}]+'), ' ')
        AS description_key,
    hs_code[1:4] AS hs_heading,
    CASE WHEN hs_code[1:4] = '8903' THEN 'craft' WHEN hs_code[1:4] IN ('8407', '8408') THEN 'engine'
        WHEN hs_code = '630720' THEN 'vest' WHEN hs_code[1:4] = '8414' THEN 'pump' END
        AS boat_equipment_kind,
    is_so(boat_equipment_kind IS NOT NULL) AS is_boat_equipment,
    100 * free_up_to(destination_country) AS limit_cents,
    (declared_value_eur_cents >= 0.7::DOUBLE * limit_cents
        AND declared_value_eur_cents < limit_cents)::INT AS is_just_under_de_minimis
FROM spans JOIN priced p USING (place_in_file) LEFT JOIN raw_journeys j
ON j.journey_id = p.journey_id AND j.declared_at < p.declared_at
    AND j.counts_from <= begins AND ends <= j.counts_until
LEFT JOIN places o ON o.code = j.origin LEFT JOIN places d ON d.code = j.destination
"""

LIMITS = " ".join(f"WHEN '{code}' THEN {of}" for code, of in reporting_limits().items())
LIMIT = f"(CASE currency {LIMITS} END)::DOUBLE"
ROUNDS = " ".join(f"WHEN '{code}' THEN {round_unit(code)}" for code in known_currencies())
ROUND = f"(CASE currency {ROUNDS} END)::DOUBLE"
PAYMENTS = f"""
SELECT *, transaction_id AS record_id, eur_cents(amount, currency, paid_at) AS amount_eur_cents,
    is_so(method = 'cash' AND amount >= 0.8::DOUBLE * {LIMIT} AND amount < {LIMIT})
        AS is_under_limit,
    is_so(method = 'money_service') AS is_money_service,
    is_so(method = 'cash') AS is_cash,
    is_so(method = 'virtual_asset') AS is_virtual_asset,
    is_so(method = 'netting') AS is_netting,
    is_so(amount >= {ROUND} AND amount % {ROUND} = 0) AS is_round_amount,
    1 - payer_iban_valid::INT AS is_iban_invalid
FROM raw_transactions
"""

PERMITS = """
SELECT subject_id, number, received_at AS known_at, document_id AS record_id,
    counts_from, counts_until FROM raw_documents
WHERE subject_kind = 'shipment' AND kind = 'permit' AND number IS NOT NULL
"""

PAID_OUTCOMES = """
WITH declared AS (
    SELECT 'route' AS subject_kind, subject_id, declared_at, counts_from, counts_until FROM journeys
    UNION ALL SELECT 'shipment', subject_id, declared_at, counts_from, counts_until FROM shipments
)
SELECT subject_id AS record_id, subject_kind || ' ' || subject_id AS inspected_subject,
    payer_id, payee_id, greatest(o.known_at, declared_at, t.known_at) AS known_at,
    is_so(result = 'confirmed') AS is_confirmed,
    greatest(o.counts_from, d.counts_from, t.counts_from) AS counts_from,
    least(o.counts_until, d.counts_until, t.counts_until) AS counts_until
FROM raw_outcomes o JOIN declared d USING (subject_kind, subject_id)
JOIN raw_transactions t USING (subject_kind, subject_id)
WHERE result IN ('confirmed', 'not_confirmed')
"""

OWN_NODES: dict[SubjectKind, str] = {
    "route": "[party(carrier_id), craft(conveyance_id)]",
    "shipment": "[party(consignor_id), party(consignee_id), party(notify_party_id), "
    "party(forwarder_id), party(declarant_id), 'container ' || container_number]",
}
JOURNEY_NODES: dict[SubjectKind, str] = {
    "route": "[]",
    "shipment": "[party(journey_carrier_id), craft(journey_conveyance_id)]",
}
# Who takes part in a subject, and who takes part because of a payment for it, from when until when.
NODES = f"""
WITH declared AS (
    SELECT 'route' AS subject_kind, subject_id, declared_at, counts_from, counts_until,
        present({OWN_NODES["route"]}) AS own, []::VARCHAR[] AS more FROM journeys
    UNION ALL SELECT 'shipment', subject_id, declared_at, counts_from, counts_until,
        present({OWN_NODES["shipment"]}), present({JOURNEY_NODES["shipment"]}) FROM shipments
)
SELECT subject_kind, subject_id, own || more AS nodes, []::VARCHAR[] AS old,
    declared_at AS known_at, counts_from, counts_until FROM declared
UNION ALL SELECT subject_kind, subject_id, own || present([party(payer_id), party(payee_id)]), own,
    greatest(declared_at, t.known_at), greatest(d.counts_from, t.counts_from),
    least(d.counts_until, t.counts_until)
FROM declared d JOIN raw_transactions t USING (subject_kind, subject_id)
"""
LINKS = """
WITH one AS (SELECT *, unnest(list_distinct(nodes)) AS party FROM nodes),
both_ends AS (SELECT *, unnest(list_distinct(nodes)) AS partner FROM one)
SELECT party, partner, known_at, counts_from, counts_until FROM both_ends
WHERE party <> partner AND counts_from < counts_until
    AND NOT (list_contains(old, party) AND list_contains(old, partner))
"""
PARTY_OUTCOMES = """
WITH one AS (SELECT *, unnest(list_distinct(nodes)) AS party FROM nodes)
SELECT party, is_so(result = 'confirmed') AS is_confirmed, greatest(o.known_at, n.known_at)
    AS known_at, greatest(o.counts_from, n.counts_from) AS counts_from,
    least(o.counts_until, n.counts_until) AS counts_until
FROM raw_outcomes o JOIN one n USING (subject_kind, subject_id)
WHERE result IN ('confirmed', 'not_confirmed') AND NOT list_contains(old, party)
"""


def network(kind: SubjectKind) -> str:
    """The network around each subject: its parties, their partners and the partners of these.

    No stream has so many nodes that those of a level are too many.
    """
    counts = "known_at < asked_at AND counts_from < asked_at AND asked_at <= counts_until"
    own = f"{OWN_NODES[kind]} || {JOURNEY_NODES[kind]}"
    return f"""
    WITH asking AS (
        SELECT subject_id, declared_at AS asked_at, list_distinct(present({own}
            || [party(latest_payer_id), party(latest_payee_id)])) AS own FROM {kind}_subjects
    ), considered AS (
        SELECT subject_id, party, partner, known_at, asked_at FROM asking JOIN links ON {counts}
        QUALIFY rank() OVER (PARTITION BY subject_id, party ORDER BY known_at DESC) <= 32
    ), hubs AS (
        SELECT subject_id, party FROM considered GROUP BY subject_id, party
        HAVING count(DISTINCT partner) > 24
    ), followed AS (
        SELECT * FROM considered ANTI JOIN hubs USING (subject_id, party)
    ), level_0 AS (
        SELECT subject_id, asked_at, unnest(own) AS party FROM asking
    ), level_1 AS (
        SELECT f.subject_id, f.asked_at, partner AS party, min(known_at) AS first FROM followed f
        JOIN level_0 USING (subject_id, party)
        WHERE (f.subject_id, partner) NOT IN (SELECT (subject_id, party) FROM level_0)
        GROUP BY ALL
    ), level_2 AS (
        SELECT f.subject_id, f.asked_at, partner AS party, min(known_at) AS first FROM followed f
        JOIN level_1 USING (subject_id, party)
        WHERE (f.subject_id, partner) NOT IN (SELECT (subject_id, party) FROM level_0)
            AND (f.subject_id, partner) NOT IN (SELECT (subject_id, party) FROM level_1)
        GROUP BY ALL
    ), members AS (
        SELECT *, NULL AS first, 0 AS level FROM level_0 UNION ALL BY NAME
        SELECT *, 1 AS level FROM level_1 UNION ALL BY NAME SELECT *, 2 AS level FROM level_2
    ), results AS (
        SELECT subject_id, party, max(is_confirmed) AS confirmed FROM asking
        JOIN party_outcomes ON {counts} GROUP BY ALL
    ), found AS (
        SELECT subject_id, asked_at, level, first, is_so(confirmed IS NOT NULL) AS inspected,
            is_so(confirmed = 1) AS confirmed
        FROM members ANTI JOIN hubs USING (subject_id, party)
        LEFT JOIN results USING (subject_id, party)
    ), known AS (
        SELECT DISTINCT subject_id, party FROM level_0 JOIN followed USING (subject_id, party)
        WHERE starts_with(party, 'party ')
    ), pairs AS (
        SELECT subject_id, count(*) FILTER ((subject_id, k.party, o.party) NOT IN (
            SELECT (subject_id, party, partner) FROM followed
            UNION SELECT (subject_id, partner, party) FROM followed)) AS unlinked_pairs
        FROM known k JOIN known o USING (subject_id) WHERE k.party < o.party
        GROUP BY subject_id
    ), per_subject AS (
        SELECT subject_id, min(CASE WHEN confirmed = 1 THEN level + 1 END) AS hops_to_confirmed,
            coalesce(sum(inspected) FILTER (WHERE level = 1), 0) AS partners_inspected,
            coalesce(sum(confirmed) FILTER (WHERE level = 1), 0) AS partners_confirmed,
            coalesce(sum(inspected) FILTER (WHERE level = 2), 0) AS second_partners_inspected,
            coalesce(sum(confirmed) FILTER (WHERE level = 2), 0) AS second_partners_confirmed,
            count(*) FILTER (WHERE level > 0) AS members,
            count(*) FILTER (WHERE first >= asked_at - {30 * DAY_US}) AS members_new_30d,
            max(asked_at - first) / {DAY} AS days_since_first_link
        FROM found GROUP BY subject_id
    )
    SELECT a.subject_id, coalesce(partners_inspected, 0) AS partners_inspected,
        coalesce(partners_confirmed, 0) AS partners_confirmed,
        coalesce(second_partners_inspected, 0) AS second_partners_inspected,
        coalesce(second_partners_confirmed, 0) AS second_partners_confirmed,
        coalesce(members, 0) AS members, coalesce(members_new_30d, 0) AS members_new_30d,
        hops_to_confirmed, days_since_first_link, unlinked_pairs
    FROM asking a LEFT JOIN per_subject USING (subject_id) LEFT JOIN pairs USING (subject_id)
    """


OWN: dict[SubjectKind, str] = {"route": "journeys", "shipment": "shipments"}
PARTIES: dict[SubjectKind, str] = {
    "route": "[s.carrier_id]",
    "shipment": "[s.consignor_id, s.consignee_id, s.notify_party_id, s.forwarder_id, "
    "s.declarant_id, s.journey_carrier_id]",
}
COUNTRIES: dict[SubjectKind, str] = {
    "route": "[s.origin_country, s.destination_country]",
    "shipment": "[s.origin_country, s.dispatch_country, s.destination_country, "
    "s.journey_origin_country, s.journey_destination_country]",
}
DUE: dict[SubjectKind, str] = {"route": "s.due_at", "shipment": "s.journey_due_at"}
NEEDED_UNTIL: dict[SubjectKind, str] = {
    "route": "s.due_at",
    "shipment": "coalesce(s.journey_due_at, s.declared_at)",
}
# False or null where a place or container is not said.
ELSEWHERE: dict[SubjectKind, str] = {
    "route": "(e.place <> s.destination)",
    "shipment": "(coalesce(p.country <> s.destination_country, false)"
    " OR coalesce(e.container_number <> s.container_number, false))",
}
DOCUMENT_KINDS = (
    "manifest",
    "invoice",
    "packing_list",
    "transit",
    "permit",
    "security_checklist",
)
AGENTS: dict[SubjectKind, str] = {
    "route": "",
    "shipment": "[d.issuer_id, s.forwarder_id, s.declarant_id, s.notify_party_id] AS agents,",
}
CRITICAL_CHANGE = " OR ".join(
    f"coalesce(lag(d.{name}) OVER versions <> d.{name}, false)"
    for name in (
        *("consignor_id", "consignee_id", "container_number", "seal_number"),
        *("gross_mass_kg", "packages"),
    )
)
CONFLICTS: dict[SubjectKind, str] = {
    "route": "",
    "shipment": """,
    is_so(d.kind IN ('manifest', 'bill_of_lading', 'air_waybill', 'transit') AND
        (list_contains(agents, d.consignor_id) OR list_contains(agents, d.consignee_id)))
        AS is_master,
    CASE WHEN is_master = 1 OR NOT is_latest THEN NULL ELSE 1 END AS compared,
    at_least(more_ppm(d.gross_mass_kg, s.gross_mass_kg), 0) * compared AS mass_excess_ppm,
    at_least(0 - more_ppm(d.gross_mass_kg, s.gross_mass_kg), 0) * compared AS mass_shortfall_ppm,
    at_least(more_ppm(d.packages, s.packages), 0) * compared AS packages_excess_ppm,
    at_least(0 - more_ppm(d.packages, s.packages), 0) * compared AS packages_shortfall_ppm,
    at_least(more_ppm(value_eur_cents, s.declared_value_eur_cents), 0) * compared
        AS value_excess_ppm,
    at_least(0 - more_ppm(value_eur_cents, s.declared_value_eur_cents), 0) * compared
        AS value_shortfall_ppm,
    CASE WHEN is_latest THEN CASE WHEN is_master = 1 THEN 0 ELSE greatest(
        (d.consignor_id <> s.consignor_id)::INT, (d.consignee_id <> s.consignee_id)::INT) END END
        AS is_party_conflict,
    CASE WHEN is_latest THEN (d.container_number <> s.container_number)::INT END
        AS is_container_conflict,
    CASE WHEN is_latest THEN (d.seal_number <> s.seal_number)::INT END AS is_seal_conflict""",
}

FOUND_OF_HEADINGS = """
SELECT i.place_in_file, count(*) AS all_inspected, sum(is_confirmed) AS all_confirmed,
    count(*) FILTER (WHERE o.hs_heading = commodity_code[1:4]) AS inspected,
    sum(is_confirmed) FILTER (WHERE o.hs_heading = commodity_code[1:4]) AS confirmed
FROM raw_goods_items i JOIN asked_shipment s USING (shipment_id)
JOIN shipment_outcomes o ON o.known_at < s.declared_at
    AND o.counts_from < s.declared_at AND s.declared_at <= o.counts_until
GROUP BY i.place_in_file
"""

GOODS_ITEMS = f"""
SELECT i.shipment_id AS subject_id, coalesce(i.known_at, {BEFORE_ALL}) AS known_at,
    number AS record_id, commodity_code[1:2] AS chapter, i.origin_country,
    whole(i.gross_mass_kg * 1000) AS gross_mass_g,
    is_so(i.gross_mass_kg IS NULL) AS has_no_gross_mass,
    eur_cents(value, i.currency, s.declared_at) AS value_eur_cents,
    is_so(value_eur_cents IS NULL) AS has_no_value,
    i.packages, is_so(i.packages IS NULL) AS has_no_packages,
    CASE WHEN commodity_code[1:4] IN ('8903', '8407') THEN value_eur_cents ELSE 0 END
        AS boat_equipment_eur_cents,
    CASE WHEN i.net_mass_kg > 0 THEN i.net_mass_kg ELSE i.gross_mass_kg END AS own_mass_kg,
    whole(at_most(ratio(value_eur_cents / 100, own_mass_kg), 1e9) * 1e6)
        AS unit_value_micro_eur_per_kg,
    CASE WHEN description = 'inflatable boats' THEN is_so(commodity_code[1:2] <> '89')
        WHEN description IS NOT NULL THEN is_so(description <> 'goods') END AS is_of_other_goods,
    CASE WHEN inspected > 0 THEN whole((confirmed + 8 * (all_confirmed / all_inspected::DOUBLE))
        / (inspected + 8) * 1e6) END AS heading_confirmed_ppm,
    is_so(heading_confirmed_ppm IS NULL) AS is_of_uninspected_heading
FROM raw_goods_items i JOIN asked_shipment s USING (shipment_id)
LEFT JOIN found_of_headings f ON f.place_in_file = i.place_in_file
WHERE i.counts_from < s.declared_at AND s.declared_at <= i.counts_until
"""

LEGS = """
SELECT l.journey_id AS subject_id, l.known_at, sequence AS record_id,
    metres(o.latitude, o.longitude, d.latitude, d.longitude) AS distance_m,
    is_so(distance_m IS NOT NULL) AS is_measured,
    CASE WHEN hours(l.departed_at, arrived_at) > 0
        THEN whole(distance_m / hours(l.departed_at, arrived_at)) END AS speed_m_per_h,
    coalesce(l.mode, s.mode) AS own_mode,
    whole(1000 * speed_m_per_h / CASE own_mode WHEN 'sea' THEN 75 WHEN 'inland_waterway' THEN 45
        WHEN 'road' THEN 110 WHEN 'rail' THEN 250 WHEN 'air' THEN 1050 END)
        AS speed_to_fastest_ppm,
    is_so(l.sequence > lag(l.sequence) OVER way + 1) AS is_after_gap,
    is_so(lag(l.destination) OVER way <> l.origin AND is_after_gap = 0) AS is_unconnected,
    CASE WHEN lag(l.destination) OVER way = l.origin AND is_after_gap = 0
        THEN whole(at_least(hours(lag(arrived_at) OVER way, l.departed_at), 0) * 60)
        END AS dwell_minutes,
    is_so(lag(l.destination) OVER way IS NULL AND l.origin = s.origin) AS is_start,
    is_so(l.destination = s.destination) AS is_arrival,
    is_so(is_arrival = 1 AND arrived_at <= l.known_at) AS is_arrived,
    (arrived_at % 86400000000) / 3600000000::DOUBLE + coalesce(d.longitude, o.longitude) / 15
        AS hour_by_the_sun,
    CASE WHEN own_mode IN ('sea', 'inland_waterway') AND arrived_at <= l.known_at
        THEN ((hour_by_the_sun + 24) % 24 >= 22 OR (hour_by_the_sun + 24) % 24 < 5)::INT
        END AS is_night_landing,
    is_so(own_mode <> s.mode) AS is_mode_switch
FROM raw_legs l JOIN asked_route s ON s.journey_id = l.journey_id
    AND l.known_at < s.declared_at AND s.declared_at <= l.counts_until
LEFT JOIN places o ON o.code = l.origin LEFT JOIN places d ON d.code = l.destination
WINDOW way AS (PARTITION BY l.journey_id ORDER BY sequence)
"""

DRIFTS = """
WITH placed AS (
    SELECT p.latitude, p.longitude,
        min(metres(p.latitude, p.longitude, port.latitude, port.longitude)) AS port_m
    FROM (SELECT DISTINCT latitude, longitude FROM raw_positions) p
    JOIN places port ON port.kind = 'port' GROUP BY p.latitude, p.longitude
)
SELECT *, observed_at AS known_at, CASE WHEN speed_kn < 2 AND port_m > 18520 THEN
    floor((latitude + 90) / 0.05::DOUBLE) * 7200 * 2097152
    + floor((longitude + 180) / 0.05::DOUBLE) % 7200 * 2097152
    + floor(observed_at / 3600000000) END AS drift_cell
FROM raw_positions JOIN placed USING (latitude, longitude)
"""

POSITIONS = """
WITH heard AS (
    SELECT p.*, hours(lag(observed_at) OVER way, observed_at) AS gap,
        metres(lag(latitude) OVER way, lag(longitude) OVER way, latitude, longitude) AS moved_m,
        s.mode IN ('sea', 'inland_waterway') AS is_by_water,
        lag(port_m) OVER way AS previous_port_m, lag(drift_cell) OVER way AS previous_drift_cell
    FROM drifts p JOIN asked_route s
    ON s.journey_id = p.journey_id AND observed_at < s.declared_at
    WINDOW way AS (PARTITION BY p.journey_id ORDER BY observed_at, p.place_in_file)
)
SELECT journey_id AS subject_id, observed_at AS known_at, observed_at AS record_id,
    whole(gap * 60) AS gap_minutes,
    CASE WHEN is_by_water AND port_m >= 10000 THEN (speed_kn < 2)::INT END AS is_slow,
    CASE WHEN is_by_water AND previous_port_m >= 10000 AND previous_port_m < 55560
        THEN gap_minutes END AS coastal_gap_minutes,
    is_so(is_by_water AND port_m >= 10000 AND port_m < 55560) AS is_off_coast,
    drift_cell, place_in_file, CASE WHEN is_by_water AND drift_cell IS NOT NULL
        AND previous_drift_cell IS NOT NULL AND moved_m < 10000 THEN gap_minutes
        END AS drift_minutes,
    CASE WHEN gap > 0 THEN whole(moved_m / at_least(gap, 5::DOUBLE / 60)) END AS implied_m_per_h
FROM heard
"""


def attached_documents(kind: SubjectKind) -> str:
    """The documents received before their subject was declared, beside it."""
    of_kind = ", ".join(f"is_so(kind = '{name}') AS is_{name}" for name in DOCUMENT_KINDS)
    return f"""
    SELECT d.subject_id, d.number, d.received_at AS known_at, d.document_id AS record_id,
        {AGENTS[kind]}
        d.version = max(d.version) OVER paper AS is_latest, is_latest::INT AS is_latest_version,
        is_so(d.version > 1) AS is_amendment,
        CASE WHEN is_latest THEN (expires_at < {NEEDED_UNTIL[kind]})::INT END AS is_expired,
        minutes(received_at, {DUE[kind]}) AS minutes_before_due,
        eur_cents(value, d.currency, s.declared_at) AS value_eur_cents,
        is_so(is_latest AND d.kind = 'invoice' AND value_eur_cents IS NOT NULL)
            AS is_valued_invoice,
        is_so(lag(d.seal_number) OVER versions <> d.seal_number) AS is_seal_change,
        is_so({CRITICAL_CHANGE}) AS is_critical_change, {of_kind} {CONFLICTS[kind]}
    FROM raw_documents d JOIN asked_{kind} s USING (subject_id)
    WHERE d.subject_kind = '{kind}' AND received_at < s.declared_at
        AND s.declared_at <= d.counts_until
    WINDOW paper AS (PARTITION BY d.subject_id, d.kind, d.number),
        versions AS (PARTITION BY d.subject_id, d.kind, d.number
            ORDER BY d.version, received_at, document_id)
    """


def attached_transactions(kind: SubjectKind) -> str:
    """The payments known before their subject was declared, beside it."""
    return f"""
    SELECT t.*, is_none_of(payer_id, {PARTIES[kind]}) AS is_third_party_payer,
        is_none_of(payee_id, {PARTIES[kind]}) AS is_stranger_paid,
        CASE WHEN purpose = 'other' THEN 0 ELSE is_stranger_paid END AS is_third_party_payee,
        is_none_of(payer_country, {COUNTRIES[kind]}) AS is_payer_off_corridor,
        is_so(purpose = 'release' OR (purpose = 'deposit' AND is_stranger_paid = 1))
            AS is_held_money,
        is_so(minutes(paid_at, s.declared_at) BETWEEN 0 AND 14400) AS is_paid_in_10d,
        eur_cents(amount, t.currency, s.declared_at) AS at_declaration,
        is_so(at_declaration IS NOT NULL AND coalesce(purpose, 'goods') IN
            ('goods', 'deposit', 'release')) AS is_of_the_price,
        CASE WHEN coalesce(purpose, 'goods') = 'goods' THEN at_declaration END AS goods_eur_cents,
        CASE WHEN purpose = 'freight' THEN at_declaration END AS freight_eur_cents,
        is_so(purpose IN ('goods', 'freight')) AS is_of_goods_or_freight,
        is_so(purpose = 'goods') AS is_of_goods, is_so(purpose = 'freight') AS is_of_freight,
        CASE WHEN purpose = 'deposit' THEN at_declaration END AS deposit_eur_cents,
        CASE WHEN purpose = 'release' THEN at_declaration END AS release_eur_cents
    FROM payments t JOIN asked_{kind} s USING (subject_id)
    WHERE t.subject_kind = '{kind}' AND t.known_at < s.declared_at
        AND s.declared_at <= t.counts_until
    """


def attached_events(kind: SubjectKind) -> str:
    """What was known before their subject was declared to have happened to it."""
    return f"""
    SELECT e.subject_id, e.known_at, e.event_id AS record_id,
        minutes(s.declared_at, occurred_at) AS minutes_after_declaration,
        minutes(s.declared_at, time_limit_at) AS limit_minutes_after_declaration,
        minutes(e.known_at, time_limit_at) AS limit_minutes_after_known,
        occurred_at <= e.known_at AND NOT coalesce({ELSEWHERE[kind]}, false) AS is_there,
        is_so(is_there AND e.kind = 'arrived') AS is_arrived,
        is_so(is_there AND e.kind IN ('arrived', 'discharged')) AS is_landed,
        is_so(is_there AND e.kind = 'discharged') AS is_discharged,
        is_so(is_there AND e.kind = 'gate_out') AS is_gate_out,
        is_so(occurred_at <= e.known_at AND e.kind = 'transit_opened'
            AND time_limit_at IS NOT NULL) AS is_transit_opened,
        is_so(occurred_at <= e.known_at AND e.kind = 'transit_discharged')
            AS is_transit_discharged
    FROM raw_events e JOIN asked_{kind} s USING (subject_id)
    LEFT JOIN places p ON p.code = e.place
    WHERE e.subject_kind = '{kind}' AND e.known_at < s.declared_at
        AND s.declared_at <= e.counts_until
    """


def subjects(kind: SubjectKind) -> str:
    """The subjects of a kind, with what the last known payment and permit of each say, and where a
    route's conveyance drifted last.
    """
    latest = ", ".join(
        f"last({name} ORDER BY known_at, record_id) AS latest_{name}"
        for name in ("payer_id", "payee_id", "amount", "currency")
    )
    return f"""
    SELECT * FROM asked_{kind} LEFT JOIN (
        SELECT subject_id, {latest} FROM {kind}_transactions GROUP BY subject_id
    ) USING (subject_id) LEFT JOIN (
        SELECT subject_id, last(number ORDER BY known_at, record_id) AS latest_permit_number
        FROM {kind}_documents WHERE is_permit = 1 AND number IS NOT NULL GROUP BY subject_id
    ) USING (subject_id) {DRIFTED[kind]}
    """


DRIFTED: dict[SubjectKind, str] = {
    "route": """LEFT JOIN (
        SELECT subject_id, last(drift_cell ORDER BY known_at, place_in_file) AS latest_drift_cell
        FROM route_positions WHERE drift_cell IS NOT NULL GROUP BY subject_id
    ) USING (subject_id)""",
    "shipment": "",
}


def asked(kind: SubjectKind) -> str:
    """Each subject once, as it was declared."""
    return f"""
    SELECT * FROM {OWN[kind]} QUALIFY row_number()
        OVER (PARTITION BY subject_id ORDER BY counts_from, place_in_file) = 1
    """


def outcomes(kind: SubjectKind) -> str:
    """Conclusive inspections of subjects, known once both the finding and the subject are."""
    return f"""
    SELECT s.* EXCLUDE (known_at, counts_from, counts_until),
        greatest(o.known_at, s.declared_at) AS known_at,
        is_so(result = 'confirmed') AS is_confirmed,
        greatest(o.counts_from, s.counts_from) AS counts_from,
        least(o.counts_until, s.counts_until) AS counts_until
    FROM raw_outcomes o JOIN {OWN[kind]} s USING (subject_id)
    WHERE o.subject_kind = '{kind}' AND result IN ('confirmed', 'not_confirmed')
    """


class PlainSql:
    """A DuckDB engine over the record files of a folder."""

    def __init__(self) -> None:
        self._engine = duckdb.connect(config={"threads": 1})
        self._engine.register("places", place_table())
        self._engine.execute(MACROS)

    def read(self, folder: Path) -> None:
        """Make the sources of windows from record files, in place of those of another folder."""
        for name, record in RECORD_FILES.items():
            instants = [f.name for f in arrow_schema(record) if f.type == INSTANT]
            in_us = ", ".join(f"epoch_us({at}) AS {at}" for at in instants)
            file = f"read_parquet('{folder}/{name}.parquet', file_row_number = true)"
            rows = (
                f"SELECT * EXCLUDE (file_row_number) REPLACE ({in_us}), "
                f"file_row_number AS place_in_file FROM {file}"
            )
            self._make(f"raw_{name}", with_lifetimes(rows, record) if record.versions_of else rows)
        self._make("completed_shipments", COMPLETED_SHIPMENTS)
        self._make("journeys", JOURNEYS)
        self._make("shipments", SHIPMENTS)
        for kind in ("route", "shipment"):
            self._make(f"asked_{kind}", asked(kind))
        self._make("payments", PAYMENTS)
        self._make("shipment_permits", PERMITS)
        self._make("paid_outcomes", PAID_OUTCOMES)
        self._make("nodes", NODES)
        self._make("links", LINKS)
        self._make("party_outcomes", PARTY_OUTCOMES)
        self._make("route_legs", LEGS)
        self._make("drifts", DRIFTS)
        self._make("route_positions", POSITIONS)
        for kind in ("route", "shipment"):
            self._make(f"{kind}_outcomes", outcomes(kind))
        self._make("found_of_headings", FOUND_OF_HEADINGS)
        self._make("shipment_goods_items", GOODS_ITEMS)
        for kind in ("route", "shipment"):
            self._make(f"{kind}_documents", attached_documents(kind))
            self._make(f"{kind}_transactions", attached_transactions(kind))
            self._make(f"{kind}_events", attached_events(kind))
            self._make(f"{kind}_subjects", subjects(kind))
            self._make(f"{kind}_network", network(kind))

    def numbers(
        self, kind: SubjectKind, windows: Sequence[Window]
    ) -> dict[str, dict[Window, float]]:
        """The number of every window by subject; NaN where it is missing."""
        by_key: dict[tuple[str, ...], list[Window]] = defaultdict(list)
        for window in windows:
            by_key[window.source, *window.by, *window.matching].append(window)
        found: dict[str, dict[Window, float]] = defaultdict(dict)
        for some in by_key.values():
            for subject, *numbers in self._engine.execute(query(kind, some)).fetchall():
                made = (float("nan") if number is None else float(number) for number in numbers)
                found[subject].update(zip(some, made, strict=True))
        return found

    def _make(self, name: str, select: str) -> None:
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")


def query(kind: SubjectKind, windows: Sequence[Window]) -> str:
    """Windows of one source and key: each event joined to each subject that it was known before."""
    window, is_attached = windows[0], windows[0].source not in SHARED
    if window.source == NETWORK:
        values = ", ".join(str(each.value) for each in windows)
        return f"SELECT subject_id, {values} FROM {kind}_network"
    source = f"{kind}_{window.source}" if is_attached else window.source
    key = "".join(
        f" AND e.{theirs} = q.{own}" for own, theirs in zip(window.by, window.matching, strict=True)
    )
    has_key = " AND ".join(f"q.{own} IS NOT NULL" for own in window.by) or "true"
    numbers = ", ".join(f"CASE WHEN {has_key} THEN {number(w)} END" for w in windows)
    grouped = ", ".join(f"q.{name}" for name in dict.fromkeys(("subject_id", *window.by)))
    counts = "e.known_at < q.declared_at"
    if window.source in SHARED and window.source != "drifts":
        counts += " AND e.counts_from < q.declared_at AND q.declared_at <= e.counts_until"
    return (
        f"SELECT q.subject_id, {numbers} FROM {kind}_subjects q LEFT JOIN {source} e "
        f"ON {counts}{key} GROUP BY {grouped}, q.declared_at"
    )


SHARED = (
    "journeys",
    "shipments",
    "payments",
    "shipment_permits",
    "paid_outcomes",
    "drifts",
    "route_outcomes",
    "shipment_outcomes",
)

REDUCERS = {
    "count": "count(e.known_at) {among}",
    "total": "coalesce(sum(e.{value}::BIGINT) {among}, 0)",
    "mean": "sum(e.{value}::BIGINT) {among} / count(e.{value}) {among}::DOUBLE",
    "largest": "max(e.{value}) {among}",
    "smallest": "min(e.{value}) {among}",
    "latest": "last(e.{value} ORDER BY e.known_at, e.record_id) {among}",
    "distinct": "count(DISTINCT e.{value}) {among}",
    "hours_since_latest": "hours(max(e.known_at) {among}, q.declared_at)",
    "days_since_first": f"(q.declared_at - min(e.known_at) {{among}}) / {DAY}",
}


def number(window: Window) -> str:
    """The aggregate of one window, over the events inside its days that meet its condition."""
    meant = ["e.known_at IS NOT NULL"]
    if window.days is not None:
        meant.append(f"e.known_at >= q.declared_at - {window.days * DAY_US}")
    if window.where is not None:
        meant.append(f"e.{window.where} = 1")
    among = f"FILTER (WHERE {' AND '.join(meant)})"
    return REDUCERS[str(window.reducer)].format(value=window.value, among=among)
