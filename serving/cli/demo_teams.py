"""Two teams of the demonstration: one for an office, one for some goods."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from features.submission import Submission
    from serving.review.cases.case_records import CaseRow
    from serving.review.cases.teams import Team

GOODS_TEAM = "Goods team"
# Number of the most frequent chapters of goods that the second team handles.
CHAPTERS = 6


def teams_of(
    waiting: Sequence["CaseRow"],
    submissions: Sequence["Submission"],
    members: tuple[tuple[str, ...], tuple[str, ...]],
) -> list["Team"]:
    """Return a team for the office of the first waiting case, and one for frequent goods.

    Without a waiting case with an office, the office of the first submission is used.
    """
    from serving.review.cases.teams import Arrivals, Team

    shipments = [each.shipment for each in submissions if each.shipment is not None]
    offices = [case.office_id for case in waiting] + [each.office_id for each in shipments]
    chapters = Counter(each.goods_code[:2] for each in shipments).most_common(CHAPTERS)
    usual = Arrivals(chapters=tuple(sorted(chapter for chapter, _ in chapters)))
    goods = Team(GOODS_TEAM, None, members[1], usual)
    office = next(filter(None, offices), None)
    # Without offices in the data, there is only the team for goods.
    if office is None:
        return [goods]
    return [Team(f"Team of {office}", office, members[0], Arrivals()), goods]
