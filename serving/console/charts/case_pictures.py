"""All pictures of a submission, for the pages that show its evidence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from features.submission import Submission
from serving.console.charts.document_grid import DocumentGrid
from serving.console.charts.goods_table import GoodsTable
from serving.console.charts.payment_flow import PaymentChart
from serving.console.charts.route_map import RouteMap
from serving.console.charts.timeline import Timeline


@dataclass(frozen=True)
class CasePictures:
    """Pictures of a case; `route` is None if no place is known."""

    timeline: Timeline
    route: RouteMap | None
    goods: GoodsTable
    documents: DocumentGrid
    payments: PaymentChart

    @classmethod
    def from_submission(cls, submission: Submission, now: datetime) -> Self:
        """Return the pictures of a submission at an instant."""
        return cls(
            Timeline.from_submission(submission, now),
            RouteMap.from_submission(submission),
            GoodsTable.from_submission(submission),
            DocumentGrid.from_submission(submission),
            PaymentChart.from_submission(submission),
        )
