"""Factors of the units of trade, by their codes of UN/ECE Recommendation 20."""

# Kilograms per unit.
KILOGRAMS = {
    "KGM": 1.0,
    "KG": 1.0,  # not a code of Recommendation 20, but often sent
    "KGS": 1.0,
    "GRM": 0.001,
    "MGM": 1e-6,
    "HGM": 0.1,
    "DTN": 100.0,
    "TNE": 1_000.0,
    "KTN": 1e6,
    "LBR": 0.45359237,
    "ONZ": 0.028349523125,
    "CWA": 45.359237,
    "CWI": 50.80234544,
    "STN": 907.18474,
    "LTN": 1_016.0469088,
}

# Cubic metres per unit.
CUBIC_METRES = {
    "MTQ": 1.0,
    "DMQ": 0.001,
    "LTR": 0.001,
    "HLT": 0.1,
    "CMQ": 1e-6,
    "MLT": 1e-6,
    "MMQ": 1e-9,
    "FTQ": 0.028316846592,
    "INQ": 1.6387064e-5,
    "YDQ": 0.764554857984,
}
