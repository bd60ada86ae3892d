"""Where places of stories lie and how far apart, worked out by code of its own."""

from itertools import pairwise
from math import atan2, cos, hypot, radians, sin

MEAN_EARTH_RADIUS_KM = 6371.0088

SHANGHAI = (31.4001, 121.4971)  # CNSHA
SINGAPORE = (1.2392, 103.8325)  # SGSIN
PORT_SAID = (31.2653, 32.2861)  # EGPSD
ANTWERP = (51.2024, 4.3829)  # BEANR
ROTTERDAM = (51.9044, 4.4424)  # NLRTM
ALGECIRAS = (36.1411, -5.4381)  # ESALG
TANGIER = (35.7641, -5.798)  # MATNG
LAS_PALMAS = (28.1289, -15.4303)  # ESLPA

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


def km(*way: Point) -> float:
    """Length of the great circles from each point of a way to the next."""
    return sum(_km(*stretch) for stretch in pairwise(way))


def _km(start: Point, end: Point) -> float:
    """By the angle between two vectors: their cross and their dot product, no haversine."""
    phi, theta = radians(start[0]), radians(end[0])
    turn = radians(end[1] - start[1])
    across = hypot(
        cos(theta) * sin(turn), cos(phi) * sin(theta) - sin(phi) * cos(theta) * cos(turn)
    )
    along = sin(phi) * sin(theta) + cos(phi) * cos(theta) * cos(turn)
    return MEAN_EARTH_RADIUS_KM * atan2(across, along)
