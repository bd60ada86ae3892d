"""Offices of accounts and keys: what a record may name, and nothing else."""

import pytest

from serving.access.office_ids import require_offices
from serving.errors import Unprocessable
from tests.serving.bodies import shipment, submission


@pytest.mark.parametrize("office", ["office-ES-2", "DE.46_00:a/b-" + "9" * 51, "DE004600"])
def test_an_account_may_have_any_office_that_a_record_may_name(office: str) -> None:
    read = submission(shipment(office_id=office))
    assert read.shipment is not None
    assert read.shipment.office_id == office

    assert require_offices([office, office]) == (office,)


@pytest.mark.parametrize("office", ["", "two words", "a,b", "büro", "x" * 65, "<b>"])
def test_no_account_has_an_office_that_no_record_may_name(office: str) -> None:
    with pytest.raises(Unprocessable, match="no office id; want 1 to 64"):
        require_offices(["office-ES-2", office])
