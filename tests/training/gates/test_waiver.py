from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from training.errors import ArtefactTampered, WaiverError
from training.gates.waiver import WAIVER, WAIVER_SIGNATURE, Waiver
from training.model.signing import SigningKey

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WHY = "The office opened in May; its figures settle by summer."


def waived(because: str = WHY, days: float = 60) -> Waiver:
    times = NOON, NOON + timedelta(days=days)
    return Waiver.given(("groups",), "sha256:" + "a" * 64, "grace", because, times)


def test_a_waiver_is_read_back_as_it_was_signed(tmp_path: Path) -> None:
    key = SigningKey.of_folder(tmp_path / "keys")
    waived().write(tmp_path, key)

    assert Waiver.read(tmp_path, key.public_pem) == waived()
    assert waived().in_words == f"waived by grace until 2026-03-03: {WHY}"


def test_without_a_waiver_there_is_none(tmp_path: Path) -> None:
    assert Waiver.read(tmp_path, SigningKey.of_folder(tmp_path / "keys").public_pem) is None


@pytest.mark.parametrize("days", [-1, 0, 184])
def test_a_waiver_ends_within_half_a_year(days: float) -> None:
    with pytest.raises(WaiverError, match="want an end within 183 days from 2026-01-02"):
        waived(days=days)


def test_a_waiver_gives_a_reason() -> None:
    with pytest.raises(WaiverError, match=r"waiver, because: .*at least 20 characters"):
        waived(because="  because   ")


def test_a_longer_waiver_than_was_signed_is_refused(tmp_path: Path) -> None:
    key = SigningKey.of_folder(tmp_path / "keys")
    waived().write(tmp_path, key)
    file = tmp_path / WAIVER
    file.write_text(file.read_text().replace("2026-03-03", "2026-06-03"))

    with pytest.raises(ArtefactTampered, match="is not signed as it stands"):
        Waiver.read(tmp_path, key.public_pem)
    (tmp_path / WAIVER_SIGNATURE).unlink()
    with pytest.raises(ArtefactTampered, match="is not signed as it stands"):
        Waiver.read(tmp_path, key.public_pem)


def test_a_waiver_that_is_gone_but_for_its_signature_is_missed(tmp_path: Path) -> None:
    key = SigningKey.of_folder(tmp_path / "keys")
    waived().write(tmp_path, key)
    (tmp_path / WAIVER).unlink()

    with pytest.raises(ArtefactTampered, match="is not signed as it stands"):
        Waiver.read(tmp_path, key.public_pem)


def signed_over(**changed: Any) -> Waiver:
    """A sound waiver but for what is changed."""
    sound: dict[str, Any] = {
        "gates": ("groups",),
        "digest": "sha256:" + "a" * 64,
        "given_by": "grace",
        "because": WHY,
        "times": (NOON, NOON + timedelta(days=60)),
    }
    return Waiver.given(**(sound | changed))


def test_a_waiver_lasts_for_183_days_at_most_to_the_second() -> None:
    assert waived(days=183).until - NOON == timedelta(days=183)
    assert signed_over(times=(NOON, NOON + timedelta(seconds=1)))
    with pytest.raises(WaiverError, match=r"waiver, until: .*want an end within 183 days"):
        signed_over(times=(NOON, NOON + timedelta(days=183, seconds=1)))


def test_a_reason_has_twenty_characters_without_the_room_around_and_between_words() -> None:
    assert signed_over(because=" The office \n has   moved. ").because == "The office has moved."
    assert signed_over(because="a " * 10 + "b")
    assert signed_over(because="a" * 20)
    with pytest.raises(WaiverError, match="waiver, because"):
        signed_over(because=f" {'a' * 10}    {'b' * 8}   ")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"gates": ()}, "gates"),
        ({"gates": ("calibration",)}, r"gates\.0"),
        ({"gates": ("groups", "approver")}, r"gates\.1"),
        ({"given_by": "  "}, "given_by"),
        ({"gates": (), "given_by": "", "because": "short"}, "gates"),
        ({"times": (NOON.replace(tzinfo=None), NOON + timedelta(days=1))}, "given_at"),
    ],
)
def test_a_waiver_of_no_or_another_gate_or_of_nobody_is_refused(
    changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(WaiverError, match=f"^waiver, {named}: "):
        signed_over(**changed)


@pytest.mark.parametrize("gate", ["groups", "proxies", "champion"])
def test_three_gates_can_be_waived_each_alone(gate: str) -> None:
    assert signed_over(gates=(gate,)).gates == (gate,)


def test_whoever_waives_is_named_without_the_room_around() -> None:
    assert signed_over(given_by=" grace ").given_by == "grace"


def test_a_signature_does_not_make_a_waiver_that_lasts_too_long_one(tmp_path: Path) -> None:
    key = SigningKey.of_folder(tmp_path / "keys")
    whole = waived().model_copy(update={"until": NOON + timedelta(days=400)})
    whole.write(tmp_path, key)

    with pytest.raises(WaiverError, match=r"waiver\.json: .*want an end within 183 days"):
        Waiver.read(tmp_path, key.public_pem)
    whole.model_copy(update={"gates": (), "because": ""}).write(tmp_path, key)
    with pytest.raises(WaiverError, match=r"waiver\.json: .*at least 1 item"):
        Waiver.read(tmp_path, key.public_pem)


def test_a_waiver_that_another_key_signed_is_refused(tmp_path: Path) -> None:
    waived().write(tmp_path, SigningKey.of_folder(tmp_path / "others"))

    with pytest.raises(ArtefactTampered, match="is not signed as it stands"):
        Waiver.read(tmp_path, SigningKey.of_folder(tmp_path / "keys").public_pem)
