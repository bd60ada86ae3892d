"""What the newest checkpoint says of the log right now, and how far witnesses are."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.home_keys import LOG, private_key
from serving.integrity.checkpoints import Checkpoint, public_key_of
from serving.integrity.hash_chain import AUDIT_EVENTS, DECISIONS, LogHead
from serving.integrity.proof_state import ProofState, WitnessState

SEALED = {DECISIONS: LogHead(3, "aa"), AUDIT_EVENTS: LogHead(5, "bb")}


@dataclass
class Log:
    """A log that grew by two events after its newest checkpoint."""

    lines: list[str]
    has: dict[str, dict[int, str]] = field(
        default_factory=lambda: {DECISIONS: {3: "aa"}, AUDIT_EVENTS: {5: "bb", 7: "cc"}}
    )

    def heads(self) -> dict[str, LogHead]:
        return {name: LogHead(max(links), links[max(links)]) for name, links in self.has.items()}

    def newest_lines(self) -> list[str]:
        return self.lines

    def links(self, chain: str, sizes: Collection[int]) -> dict[int, str]:
        return {size: link for size, link in self.has[chain].items() if size in sizes}

    def handed_over(self, witness: str) -> int:
        return {"all of them": 4, "one less": 3}.get(witness, -1)


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519PrivateKey:
    return private_key(tmp_path, LOG)


@pytest.fixture
def newest(signer: Ed25519PrivateKey) -> Checkpoint:
    at = "2026-11-24T12:00:00+00:00"
    return Checkpoint(4, 1, SEALED, "db", at, "").signed(signer)


def state(log: Log, folder: Path, *witnesses: tuple[str, bool]) -> ProofState:
    return ProofState.of_log(log, public_key_of(folder), witnesses)


def test_a_log_that_is_as_its_newest_checkpoint_says_is_sound(
    newest: Checkpoint, tmp_path: Path
) -> None:
    found = state(Log(["an older one", newest.as_json()]), tmp_path)

    assert found.is_sound
    assert found.newest == newest
    assert (found.events, found.decisions) == (7, 3)
    assert found.unsealed == {DECISIONS: 0, AUDIT_EVENTS: 2}


@pytest.mark.parametrize("chain", [DECISIONS, AUDIT_EVENTS])
@pytest.mark.parametrize("links", [{9: "aa"}, {3: "zz", 5: "zz"}])
def test_a_chain_without_the_link_at_its_place_is_told(
    newest: Checkpoint, tmp_path: Path, chain: str, links: dict[int, str]
) -> None:
    log = Log([newest.as_json()])
    log.has[chain] = links

    found = state(log, tmp_path)

    assert (found.is_signed, found.is_matched, found.is_sound) == (True, False, False)


@pytest.mark.parametrize("signature", ["", "not hexadecimal", "00" * 64])
def test_a_signature_that_does_not_hold_is_told(
    newest: Checkpoint, tmp_path: Path, signature: str
) -> None:
    found = state(Log([replace(newest, signature=signature).as_json()]), tmp_path)

    assert (found.is_signed, found.is_matched, found.is_sound) == (False, True, False)


def test_before_the_first_checkpoint_nothing_is_sound(tmp_path: Path) -> None:
    found = state(Log([]), tmp_path, ("w", False))

    assert (found.newest, found.is_sound) == (None, False)
    assert found.unsealed == {DECISIONS: 3, AUDIT_EVENTS: 7}
    assert found.witnesses == (WitnessState("w", 0, 0, is_behind=False),)


def test_a_witness_lacks_what_it_did_not_take(newest: Checkpoint, tmp_path: Path) -> None:
    asked = (("all of them", False), ("one less", True), ("nothing", False))

    found = state(Log([newest.as_json()]), tmp_path, *asked)

    assert [(each.taken, each.lacks, each.is_behind) for each in found.witnesses] == [
        (4, 0, False),
        (3, 1, True),
        (0, 4, False),
    ]
