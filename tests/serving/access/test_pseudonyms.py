"""Short names in place of ids: the same for the same party, and led back by nobody."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from serving.access.pseudonyms import Pseudonyms

OURS = Pseudonyms(b"k" * 32)


def test_a_party_has_one_name_of_eight_letters() -> None:
    assert re.fullmatch(r"party-[a-z2-7]{8}", OURS.of("party-1"))
    assert OURS.of("party-1") == OURS.of("party-1")
    assert OURS.of("party-1") != OURS.of("party-2")
    assert OURS.of("party-1", "masked") == OURS.of("party-1").replace("party", "masked")


def test_names_cannot_be_made_without_the_key() -> None:
    assert OURS.of("party-1") != Pseudonyms(b"l" * 32).of("party-1")
    assert OURS.of("party-1") != Pseudonyms(b"").of("party-1")


def test_an_installation_keeps_its_names_and_shares_them_with_no_other(tmp_path: Path) -> None:
    here, again, elsewhere = (Pseudonyms.kept_in(tmp_path / name) for name in "aab")

    assert here == again
    assert here.key == (tmp_path / "a" / "pseudonyms.key").read_bytes()
    assert here.of("party-1") != elsewhere.of("party-1")


def test_a_text_has_names_in_place_of_ids_and_is_else_as_it_was() -> None:
    told = OURS.over("party-1 pays p.2, not p12 or party-10", ["party-1", "p.2"], "masked")

    assert told == (
        f"{OURS.of('party-1', 'masked')} pays {OURS.of('p.2', 'masked')}, not p12 or party-10"
    )
    assert OURS.over("party-1 pays", []) == "party-1 pays"


@pytest.mark.parametrize("ids", [["S-1", "S-1-2"], ["S-1-2", "S-1"]])
def test_of_two_ids_the_longer_is_named(ids: list[str]) -> None:
    assert OURS.over("S-1-2 and S-1", ids) == f"{OURS.of('S-1-2')} and {OURS.of('S-1')}"


def test_the_key_is_not_exchanged_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        OURS.key = b""  # type: ignore[misc]  # what is tried
