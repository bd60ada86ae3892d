"""Compare column names with the fields of records, in the jargon of customs.

Each word is replaced by its meaning, in any language; the words of a column are then compared with
the names of a field, which always include its own.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache

from features.persons import words_of_name

_MEANINGS = {
    "agent": "broker despachante agente aduaneiro",
    "amount": "amt betrag montante montant importe sum summe",
    "arrival": "arrived eta ata llegada chegada arrivee ankunft",
    "carrier": "operator airline transportista transportador transporteur frachtfuehrer",
    "code": "cd cod codigo kode kennzahl",
    "consignee": "importer buyer receiver destinatario importador importateur destinataire "
    "empfaenger empfanger einfuehrer",
    "consignor": "exporter seller shipper sender supplier remitente exportador exportateur "
    "expediteur versender ausfuehrer verkaeufer",
    "container": "cntr ctr ctnr contenedor contentor conteneur behaelter",
    "country": "ctry cntry pais pays land staat nation",
    "currency": "curr ccy moeda moneda devise waehrung wahrung",
    "date": "dt data fecha datum day time timestamp hora datetime at",
    "declarant": "declarante anmelder vertreter",
    "declaration": "decl dec declaracao declaracion dua sad entry anmeldung",
    "departure": "departed etd atd sailing salida partida depart abfahrt",
    "description": "desc descr designation descricao descripcion beschreibung bezeichnung",
    "destination": "dest destino bestimmung",
    "dispatch": "export exportation provenance procedencia proveniencia expedition versand",
    "forwarder": "courier transitaire spediteur transitario",
    "fraud": "infraction seizure hit offence infracao infraccion beanstandung illicit finding",
    "goods": "merchandise mercadoria mercancia marchandise ware cargo commodity item product",
    "gross": "brutto bruto brut grs",
    "hs": "hs6 hs8 hs10 tariff taric ncm cn8 nc8 hts nomenclature pautal arancel warencode",
    "id": "ident identifier key ref reference referencia kennung",
    "journey": "voyage trip flight viaje viagem reise fahrt",
    "mass": "weight wt wgt gewicht peso poids massa masse",
    "net": "netto neto liquido nett",
    "number": "no nr num nbr numero nummer n",
    "office": "aduana estancia bureau zollstelle zollamt",
    "origin": "orig origem origen origine ursprung",
    "packages": "package pkgs pkg packs colis bultos volumes packstuecke kolli pieces pcs cartons",
    "payment": "pay pago pagamento paiement zahlung",
    "port": "puerto porto hafen",
    "procedure": "process regime regimen verfahren",
    "rate": "taxa tasa taux satz pct percent",
    "seal": "precinto selo scelle plombe siegel",
    "speed": "sog knots",
    "tax": "duty zoll imposto impuesto droit",
    "type": "typ tipo art kind",
    "value": "val valor valeur wert price",
    "vehicle": "truck lorry camion fahrzeug veiculo vehiculo",
    "vessel": "ship navio buque navire schiff",
}
# German compounds and single words that stand for two.
_COMPOUNDS = {
    "accepted": "acceptance date",
    "anmeldedatum": "declaration date",
    "bestimmungsland": "destination country",
    "bruttogewicht": "gross mass",
    "bruttomasse": "gross mass",
    "eigenmasse": "net mass",
    "herkunftsland": "dispatch country",
    "nettogewicht": "net mass",
    "rechnungsbetrag": "invoice value",
    "rohmasse": "gross mass",
    "ursprungsland": "origin country",
    "versendungsland": "dispatch country",
    "warenbezeichnung": "goods description",
    "warennummer": "hs code",
    "zollwert": "customs value",
}
_KNOWN_AS = {
    "amount": "payment amount, amount",
    "arrived_at": "arrival date",
    "carrier_id": "carrier id",
    "certified_capacity": "passenger capacity, capacity",
    "commodity_code": "hs code, goods code",
    "conveyance_id": "vessel id, vehicle id, conveyance",
    "course_degrees": "course, cog",
    "declared_at": "declaration date, acceptance date, lodgement date, registration date, date",
    "declared_value": "customs value, declared value, goods value, invoice value, value, cif, fob",
    "departed_at": "departure date",
    "dispatch_country": "dispatch country, departure country",
    "document_id": "document id, invoice number",
    "due_at": "arrival date",
    "events": "event",
    "forwarder_id": "forwarder id",
    "goods_description": "goods description, description",
    "hs_code": "hs code, hs, goods code, commodity code",
    "import_type": "procedure code, import type, import use, procedure",
    "imo_number": "imo number, imo",
    "inspected_at": "inspection date, control date, date",
    "journey_id": "journey id, journey number",
    "known_at": "received date, posted date, known date, date",
    "latitude": "lat, latitude",
    "longitude": "lon, lng, long, longitude",
    "mode": "transport mode, mode",
    "observed_at": "date, position date, base date",
    "office_id": "office id, customs office, office code, office, port code",
    "origin": "origin port, departure port, loading port, origin",
    "destination": "destination port, arrival port, discharge port, destination",
    "paid_at": "payment date, value date, booking date",
    "payee_id": "payee id, creditor id, beneficiary id",
    "payer_id": "payer id, debtor id, ordering id",
    "payment_type": "payment type, payment terms, incoterm",
    "plate_number": "plate number, registration number, plate",
    "registration_country": "flag, flag country, registration country",
    "result": "fraud, result, outcome",
    "shipment_id": "declaration id, declaration number, shipment id, mrn, consignment id",
    "speed_kn": "speed",
    "subject_id": "declaration id, shipment id, subject id, journey id",
    "tax_type": "tax type, preference code",
    "transaction_id": "payment id, transaction id, payment number",
    "volume_m3": "volume",
}
# Words too common to identify a field; they count less.
_SAYS_LITTLE = frozenset({"code", "id", "number", "type", "date", "customs", "goods", "item"})
# Linking words of column names, which carry no meaning.
_LINKING = frozenset({"of", "the", "de", "do", "da", "du", "des", "del", "la", "le", "in", "y"})
_UNITS = frozenset({"kg", "kgs", "lb", "lbs", "g", "t", "tons", "eur", "usd", "keur", "kusd", "m3"})


@cache
def meanings_of(name: str) -> tuple[str, ...]:
    """Return the meanings of the words in a column name.

    >>> meanings_of("Country of Origin"), meanings_of("PESO_BRUTO_KG"), meanings_of("Ursprungsland")
    (('country', 'origin'), ('mass', 'gross'), ('origin', 'country'))
    """
    known = {word: meaning for meaning, words in _MEANINGS.items() for word in words.split()}
    found: list[str] = []
    for word in words_of_name(name):
        if word in _LINKING or word in _UNITS:
            continue
        found += _COMPOUNDS.get(word, known.get(word, word)).split()
    return tuple(dict.fromkeys(found))


def likeness(column: str, field: str) -> float:
    """Return the likeness of a column's name to a field's, from 0 to 1.

    >>> likeness("HS6 Code", "hs_code"), round(likeness("Peso neto", "net_mass_kg"), 2)
    (1.0, 1.0)
    """
    names = [field, *_KNOWN_AS.get(field, "").split(", ")]
    return max(_overlap(meanings_of(column), meanings_of(name)) for name in names if name)


def unit_in(name: str, units: Iterable[str]) -> str | None:
    """Return the unit in a column's name, among those that its field can have; None without one.

    >>> unit_in("GROSS_LBS", ["kg", "lb"]), unit_in("Wert (kEUR)", ["EUR", "kEUR"])
    ('lb', 'kEUR')
    """
    # Single letters are too ambiguous as units, except for tonnes and grams.
    in_small = {unit.lower(): unit for unit in units if len(unit) > 1 or unit in "tg"}
    plural = {f"{unit}s": spelt for unit, spelt in in_small.items()}
    words = re.findall(r"[a-z0-9%/]+", name.lower().replace("_", " "))
    return next((plural.get(w) or in_small.get(w) for w in reversed(words)
                 if w in plural or w in in_small), None)  # fmt: skip


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return the weight of shared words relative to that of all words."""
    shared = [word for word in one if any(_is_same(word, each) for each in other)]
    if not shared:
        return 0.0
    missing = [word for word in other if not any(_is_same(word, each) for each in one)]
    return _weight(shared) / _weight([*one, *missing])


def _weight(words: Iterable[str]) -> float:
    return sum(0.3 if word in _SAYS_LITTLE else 1.0 for word in words)


def _is_same(one: str, other: str) -> bool:
    if one == other:
        return True
    # Tolerates typing errors in long words only: short words differ by one letter too easily.
    return min(len(one), len(other)) > 4 and SequenceMatcher(None, one, other).ratio() > 0.84
