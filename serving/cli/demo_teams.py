"""The two teams of the demonstration: one has what comes to an office, one has some goods.

They are made of the month before, so that cases of today arrive in both inboxes by themselves.
"""

from collections import Counter

from serving.cli.demo_people import COLLEAGUE, REVIEWER, SECOND
from serving.cli.demo_world import Month
from serving.review.teams import Arrivals, Team

GOODS_TEAM = "Goods team"
CHAPTERS = 6
"""Chapters of goods, the most frequent ones, that the second team has."""


def teams_of(month: Month) -> list[Team]:
    """The team of the busiest office, and that of the most frequent goods of all offices."""
    shipments = [each.shipment for each in month.submissions if each.shipment is not None]
    offices = Counter(each.office_id for each in shipments if each.office_id is not None)
    chapters = Counter(each.hs_code[:2] for each in shipments)
    named = tuple(sorted(chapter for chapter, _ in chapters.most_common(CHAPTERS)))
    goods = Team(GOODS_TEAM, None, (SECOND, COLLEAGUE), Arrivals(chapters=named))
    of_office = [
        Team(f"Team of {office}", office, (REVIEWER, SECOND), Arrivals())
        for office, _ in offices.most_common(1)
    ]
    return [*of_office, goods]
