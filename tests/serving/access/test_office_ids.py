"""Offices of accounts and keys: what a record may name, and nothing else."""

import pytest

from serving.access.office_ids import require_known_office, require_offices
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


@pytest.mark.parametrize(
    ("office", "says"),
    [
        ("de004600", "the nearest one is DE004600"),
        ("DE0O4600", "the nearest one is DE004600"),
        ("DE004600 ", "the nearest one is DE004600"),
        ("LX-9", "it becomes known by an account, a key or the plan of the lanes"),
    ],
)
def test_an_office_that_nothing_knows_is_refused_with_the_nearest_that_is_known(
    office: str, says: str
) -> None:
    with pytest.raises(Unprocessable, match=says) as refused:
        require_known_office(office, {"DE004600", "GR003100"}, "destination")

    assert [(each.pointer, each.code) for each in refused.value.faults] == [
        ("/destination", "unknown_office")
    ]
    require_known_office("GR003100", {"DE004600", "GR003100"}, "destination")
    require_known_office(office, (), "destination")  # somebody begins
