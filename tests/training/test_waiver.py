from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from training.errors import ArtefactTampered, WaiverError
from training.signing import SigningKey
from training.waiver import WAIVER, WAIVER_SIGNATURE, Waiver

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
