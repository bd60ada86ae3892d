"""What may travel is valid STIX, says nothing of persons, and is refused by name otherwise."""

import json
import sys
from copy import deepcopy
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from features.persons import is_about_a_person
from serving.exchange.deliveries import delivered, receive, signed_object
from serving.exchange.distribution import MARKINGS, Distribution
from serving.exchange.errors import ExchangeRefused
from serving.exchange.exchanged_objects import (
    MAX_OBJECT_BYTES,
    identity_of,
    new_object,
    recall_of,
)
from serving.exchange.extension import (
    AUTHOR,
    EXTENSION_ID,
    extension_definition,
    marking_definition,
)
from serving.exchange.object_kinds import OBJECT_KINDS
from tests.serving.exchange.exchanged import (
    AGENCIES,
    DETAILS,
    DISTRIBUTION,
    FIELDS,
    KEYS,
    NOW,
    made,
    sent,
)


def arrived(document: Any, sender: str = "north", receiver: str = "south") -> Any:
    return receive(document, sender, receiver, KEYS, NOW)


def changed(path: str, value: Any, document: Any) -> Any:
    """The document with another value at a path of names."""
    whole = deepcopy(document)
    *way, last = path.replace("EXT", f"extensions/{EXTENSION_ID}").split("/")
    found = whole
    for name in way:
        found = found[name]
    found[last] = value
    return whole


@pytest.fixture(scope="module")
def validate() -> Any:
    """The validator of OASIS; it imports a library for software names that has no wheel."""
    names = ModuleType("cpe")
    names.CPE = None  # type: ignore[attr-defined]  # none of our objects names software
    sys.modules.setdefault("cpe", names)
    from stix2validator import ValidationOptions, validate_instance

    def errors(document: Any) -> list[str]:
        found = validate_instance(
            json.loads(json.dumps(document)), ValidationOptions(version="2.1")
        )
        return [str(error) for error in found.errors]

    return errors


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_each_kind_is_valid_for_the_validator_of_oasis(kind: str, validate: Any) -> None:
    assert validate(sent(kind).document) == []
    assert validate(recall_of(made(kind), NOW + timedelta(hours=1)).document) == []


def test_the_extension_and_the_markings_are_valid(validate: Any) -> None:
    for document in (extension_definition(), AUTHOR, *map(marking_definition, MARKINGS)):
        assert validate(document) == []


def test_the_validator_notices_a_fault(validate: Any) -> None:
    assert validate({**sent("container").document, "created": "yesterday"}) != []


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_each_kind_arrives_as_it_was_sent(kind: str) -> None:
    found = arrived(json.loads(json.dumps(sent(kind).document)))

    assert (found.exchanged.kind.name, found.delivery_id) == (kind, "D-1")
    assert found.way == ("north",)
    assert found.exchanged.details == DETAILS[kind]
    assert found.distribution == DISTRIBUTION


def test_no_kind_has_a_detail_about_a_person() -> None:
    company_or_vessel_name = {"name"}  # the name of a thing
    details = {detail for kind in OBJECT_KINDS.values() for detail in kind.details}

    assert [each for each in details - company_or_vessel_name if is_about_a_person(each)] == []


PERSON_FIELDS = "firstName dateOfBirth passport_number nationality driver master_name email phone"


@pytest.mark.parametrize("field", PERSON_FIELDS.split())
@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_a_field_about_a_person_is_refused_by_name_on_both_sides(kind: str, field: str) -> None:
    with pytest.raises(ExchangeRefused, match=f"^names-a-person: {field}"):
        made(kind, **{field: ["x"]})
    document = sent(kind).document
    for place in (field, f"EXT/{field}", f"EXT/details/{field}"):
        with pytest.raises(ExchangeRefused, match=f"^names-a-person: {field}"):
            arrived(changed(place, "x", document))


def test_an_individual_is_refused() -> None:
    with pytest.raises(ExchangeRefused, match="names-a-person: "):
        arrived(changed("identity_class", "individual", sent("company").document))


@pytest.mark.parametrize(
    ("kind", "is_nominal"),
    [
        ("company", True),
        ("vessel", True),
        ("vehicle", True),
        ("container", False),
        ("watch_list_entry", False),
        ("alert", False),
        ("sighting", False),
        ("typology", False),
    ],
)
def test_what_names_a_company_vessel_or_vehicle_is_nominal(kind: str, is_nominal: bool) -> None:
    assert made(kind).is_nominal == is_nominal


def test_a_watch_list_entry_of_a_company_is_nominal() -> None:
    assert made("watch_list_entry", watched="company", value="party-1").is_nominal


SENT = sent("watch_list_entry").document
WIDER = Distribution("clear", DISTRIBUTION.purposes, DISTRIBUTION.expires_at)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("tampered", changed("EXT/details/reason", "another", SENT)),
        ("tampered", changed("EXT/handling", "A1", SENT)),
        ("tampered", changed("modified", "2026-12-02T10:00:00.000Z", SENT)),
        ("tampered", changed("EXT/signature", "x..y", SENT)),
        ("tampered", changed("EXT/deliveries", sent().extension["deliveries"], SENT)),
        ("tampered", changed("EXT/deliveries", ["x.y.z"], SENT)),
        ("malformed", changed("EXT/deliveries", [], SENT)),
        ("malformed", changed("EXT/handling", "E9", SENT)),
        ("malformed", changed("object_marking_refs", [], SENT)),
        ("malformed", changed("EXT/distribution/expires_at", "2026-12-01T00:00:00", SENT)),
        ("malformed", changed("created", "yesterday", SENT)),
        ("unknown-kind", changed("EXT/kind", "vessel", SENT)),
        ("unknown-field", changed("EXT/details/colour", "red", SENT)),
        ("misaddressed", sent(to="west").document),
        ("too-large", changed("EXT/details/reason", ["x" * 499] * 50, SENT)
         | {"name": None, "pattern": "x" * MAX_OBJECT_BYTES}),
        ("unknown-signer", changed("EXT/originator", "east", SENT)
         | {"created_by_ref": identity_of("east")}),
        ("widened", delivered(made(), "south", WIDER, AGENCIES["north"]).document),
    ],
)  # fmt: skip
def test_an_object_is_refused_by_name(name: str, document: Any) -> None:
    document = {field: value for field, value in document.items() if value is not None}
    with pytest.raises(ExchangeRefused, match=f"^{name}: "):
        arrived(document)


def test_an_expired_object_is_refused_and_its_recall_is_not() -> None:
    soon = Distribution("green", DISTRIBUTION.purposes, NOW)
    expired = made(distribution=soon)
    recall = signed_object(recall_of(expired, NOW + timedelta(days=1)), AGENCIES["north"])

    with pytest.raises(ExchangeRefused, match="expired: "):
        arrived(delivered(expired, "south", soon, AGENCIES["north"]).document)
    assert arrived(delivered(recall, "south", soon, AGENCIES["north"]).document)


def test_an_object_that_was_here_is_refused() -> None:
    passed_on = delivered(sent(), "west", DISTRIBUTION, AGENCIES["south"])
    back = delivered(passed_on, "north", DISTRIBUTION, AGENCIES["west"])

    assert arrived(passed_on.document, "south", "west").way == ("north", "south")
    with pytest.raises(ExchangeRefused, match="looped: "):
        arrived(back.document, "west", "north")


def test_the_middle_cannot_widen_what_it_passes_on() -> None:
    narrow = Distribution(
        "green", DISTRIBUTION.purposes, DISTRIBUTION.expires_at, frozenset({"south"})
    )
    to_south = delivered(made(), "south", narrow, AGENCIES["north"])
    onward = delivered(to_south, "west", DISTRIBUTION, AGENCIES["south"])

    with pytest.raises(ExchangeRefused, match="widened: "):
        arrived(onward.document, "south", "west")


def test_the_middle_cannot_hide_where_an_object_came_from() -> None:
    forged = delivered(made(), "west", DISTRIBUTION, AGENCIES["south"])

    with pytest.raises(ExchangeRefused, match="tampered: "):
        arrived(forged.document, "south", "west")


def test_amber_is_not_passed_on() -> None:
    amber = Distribution("amber", DISTRIBUTION.purposes, DISTRIBUTION.expires_at)
    to_south = delivered(made(distribution=amber), "south", amber, AGENCIES["north"])
    onward = delivered(to_south, "west", amber, AGENCIES["south"])

    assert arrived(to_south.document)
    with pytest.raises(ExchangeRefused, match="over-marked: "):
        arrived(onward.document, "south", "west")


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_a_recall_holds_nothing_of_the_content(kind: str) -> None:
    recall = recall_of(made(kind), NOW + timedelta(hours=1))
    said = json.dumps(recall.document)

    assert recall.is_recall
    assert not recall.is_nominal
    for value in DETAILS[kind].values():
        for text in value if isinstance(value, list) else [value]:
            assert not isinstance(text, str) or text == "container" or text not in said
    assert all(text not in said for text in ("evaporator", "Concealed", "wcoomd"))


def test_only_the_originator_signs() -> None:
    fresh = new_object("container", DETAILS["container"], "north", "B2", DISTRIBUTION, NOW)

    with pytest.raises(ExchangeRefused, match="unknown-signer: "):
        signed_object(fresh, AGENCIES["south"])


def test_every_kind_has_an_example() -> None:
    assert DETAILS.keys() == OBJECT_KINDS.keys() >= FIELDS.keys()
