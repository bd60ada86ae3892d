"""The condition on the cases that a reader may see."""

from sqlalchemy import ColumnElement, and_, true

from serving.review.cases.case_records import CaseAccess
from serving.storage.tables.review import cases


def is_visible(access: CaseAccess) -> ColumnElement[bool]:
    """Match cases of the reader's offices, on their side of the wall to rescue."""
    # No offices means all offices, not none.
    is_own_office = cases.c.office_id.in_(access.offices) if access.offices else true()
    is_rescue = cases.c.lane == "rescue"
    return and_(is_own_office, is_rescue if access.is_rescue else ~is_rescue)
