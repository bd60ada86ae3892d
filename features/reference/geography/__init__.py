"""Geography: one table of ports, airports and land crossings.

Functions accept location codes and country codes as records hold them. They return positions,
distances and usual durations by mode, regions and neighbours; NaN or None for an unknown code.

There are three kinds of code, which cannot collide: a port is a country and three characters
(`NLRTM`), an airport its three IATA letters (`IST`), a land crossing two countries in alphabetical
order, a slash and a name (`BG-TR/KAPIKULE`). An airport also stands for its town where a journey by
road or rail begins or ends inland.

`make_tables` builds the tables; `LICENCES.md` lists their sources.
"""

from features.reference.geography.distances import distance_km, great_circle_km, usual_hours
from features.reference.geography.places import country_of, place_kinds, place_table, positions_of
from features.reference.geography.regions import are_neighbours, countries, neighbours_of, region_of

__all__ = [
    "are_neighbours",
    "countries",
    "country_of",
    "distance_km",
    "great_circle_km",
    "neighbours_of",
    "place_kinds",
    "place_table",
    "positions_of",
    "region_of",
    "usual_hours",
]
