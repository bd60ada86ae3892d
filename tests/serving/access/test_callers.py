"""What a caller may do, and for which office."""

from dataclasses import FrozenInstanceError

import pytest

from serving.access.api_keys import ApiKey
from serving.access.callers import Caller
from serving.errors import Forbidden
from tests.serving.access.trusted import NOW

ANYWHERE = Caller("k-1", "post", frozenset({"score"}), frozenset())
HAMBURG = Caller("k-2", "post", frozenset({"score"}), frozenset({"DE004600"}))
BOTH = Caller("k-3", "post", frozenset({"score"}), frozenset({"DE004600", "DE002100"}))


def test_a_caller_has_what_its_key_was_made_for() -> None:
    key = ApiKey("k-4", "post", "", ("score",), ("DE004600",), NOW, purposes=("statistics",))

    assert Caller.from_api_key(key) == Caller(
        "k-4", "post", frozenset({"score"}), frozenset({"DE004600"}), frozenset({"statistics"})
    )


def test_a_caller_may_do_what_its_scopes_say() -> None:
    ANYWHERE.require("score")
    assert ANYWHERE.may("score")
    assert not ANYWHERE.may("explain")
    with pytest.raises(Forbidden, match="the scope explain"):
        ANYWHERE.require("explain")


def test_a_caller_of_no_office_decides_for_any() -> None:
    assert ANYWHERE.office_for("DE004600") == "DE004600"
    assert ANYWHERE.office_for(None) is None


def test_a_caller_of_offices_decides_for_those_alone() -> None:
    assert HAMBURG.office_for("DE004600") == "DE004600"
    assert BOTH.office_for("DE002100") == "DE002100"
    for caller in (HAMBURG, BOTH):
        with pytest.raises(Forbidden, match="not tied to"):
            caller.office_for("DE009999")


def test_what_names_no_office_belongs_to_the_only_one_of_the_caller() -> None:
    assert HAMBURG.office_for(None) == "DE004600"
    assert BOTH.office_for(None) is None


def test_a_caller_is_not_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        ANYWHERE.scopes = frozenset({"review"})  # type: ignore[misc]  # what is tried
