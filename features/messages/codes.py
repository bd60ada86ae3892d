"""Map the code lists of trade messages to the terms of records.

Sources: UN/ECE Recommendation 19 and UNTDID 8067 (modes of transport), UNTDID 1001 (documents),
DCSA Track & Trace 2.2 and 3.0 (events).
"""

from features.records import DocumentKind, EventKind, Mode
from features.reference.country_and_currency_codes import CODES

_WITHDRAWN_CURRENCIES = """
    ANG ATS AZM BEF BGL BGN BYB BYR CSD CUC CYP DEM EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF
    LVL MRO MTL MZM NLG PLZ PTE ROL RUR SDD SIT SKK SLL STD TMM TRL VEB VEF YUM ZMK ZWD ZWL
    """
# Withdrawn currencies are accepted because old messages are imported too.
CURRENCIES = CODES["currencies"] | frozenset(_WITHDRAWN_CURRENCIES.split())

MODES: dict[str, Mode] = {
    "1": "sea",
    "10": "sea",
    "2": "rail",
    "20": "rail",
    "3": "road",
    "30": "road",
    "4": "air",
    "40": "air",
    "8": "inland_waterway",
    "80": "inland_waterway",
    "VESSEL": "sea",
    "RAIL": "rail",
    "TRUCK": "road",
    "BARGE": "inland_waterway",
}

DOCUMENTS: dict[str, DocumentKind] = {
    "271": "packing_list",
    "325": "invoice",
    "380": "invoice",
    "384": "invoice",
    "935": "invoice",
    "703": "air_waybill",
    "740": "air_waybill",
    "741": "air_waybill",
    "704": "bill_of_lading",
    "705": "bill_of_lading",
    "706": "bill_of_lading",
    "710": "bill_of_lading",
    "714": "bill_of_lading",
    "720": "bill_of_lading",
    "730": "bill_of_lading",
    "785": "manifest",
    "788": "manifest",
    "811": "permit",
    "851": "permit",
    "853": "permit",
    "911": "permit",
    "861": "certificate_of_origin",
    "820": "transit",
    "821": "transit",
    "822": "transit",
    "952": "transit",
    "955": "transit",
}

EVENTS: dict[str, EventKind] = {
    "DEPA": "departed",
    "ARRI": "arrived",
    "LOAD": "loaded",
    "DISC": "discharged",
    "GTIN": "gate_in",
    "GTOT": "gate_out",
    "STUF": "stuffed",
    "STRP": "stripped",
    "DEPARTED": "departed",
    "ARRIVED": "arrived",
    "LOADED": "loaded",
    "DISCHARGED": "discharged",
    "GATED_IN": "gate_in",
    "GATED_OUT": "gate_out",
    "STUFFED": "stuffed",
    "STRIPPED": "stripped",
}
