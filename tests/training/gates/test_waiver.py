from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import Tampered
from features.home_keys import SIGNING, private_key, public_pem
from training.errors import TrainingError
from training.gates.verdict import Answer, Verdict
from training.gates.waiver import WAIVER, Waiver, WaiverRequest

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WHY = "The office opened in May; its figures settle by summer."


def waived(because: str = WHY, days: float = 60) -> Waiver:
    request = WaiverRequest(("groups",), because, NOON + timedelta(days=days))
    return Waiver.from_request(request, "sha256:" + "a" * 64, "grace", NOON)


def test_a_waiver_is_read_back_as_it_was_signed(tmp_path: Path) -> None:
    key = private_key(tmp_path / "keys", SIGNING)
    waived().write(tmp_path, key)

    assert Waiver.of_model(tmp_path, public_pem(key.public_key())) == waived().signed(key)
    assert waived().in_words == f"waived by grace until 2026-03-03: {WHY}"


def test_without_a_waiver_there_is_none(tmp_path: Path) -> None:
    assert (
        Waiver.of_model(tmp_path, public_pem(private_key(tmp_path / "keys", SIGNING).public_key()))
        is None
    )


@pytest.mark.parametrize("days", [-1, 0, 184])
def test_a_waiver_ends_within_half_a_year(days: float) -> None:
    with pytest.raises(TrainingError, match="want an end within 183 days from 2026-01-02"):
        waived(days=days)


def test_a_waiver_gives_a_reason() -> None:
    with pytest.raises(TrainingError, match=r"waiver, because: .*at least 20 characters"):
        waived(because="  because   ")


def test_a_longer_waiver_than_was_signed_is_refused(tmp_path: Path) -> None:
    key = private_key(tmp_path / "keys", SIGNING)
    waived().write(tmp_path, key)
    file = tmp_path / WAIVER
    file.write_text(file.read_text().replace("2026-03-03", "2026-06-03"))

    with pytest.raises(Tampered, match="is not signed as it stands"):
        Waiver.of_model(tmp_path, public_pem(key.public_key()))
    file.write_text(waived().model_dump_json())
    with pytest.raises(Tampered, match="is not signed as it stands"):
        Waiver.of_model(tmp_path, public_pem(key.public_key()))


def signed_over(*, given_by: str = "grace", at: datetime = NOON, **changed: Any) -> Waiver:
    """A sound waiver but for what is changed."""
    sound: dict[str, Any] = {
        "gates": ("groups",),
        "because": WHY,
        "until": NOON + timedelta(days=60),
    }
    return Waiver.from_request(
        WaiverRequest(**(sound | changed)), "sha256:" + "a" * 64, given_by, at
    )


def test_a_waiver_lasts_for_183_days_at_most_to_the_second() -> None:
    assert waived(days=183).until - NOON == timedelta(days=183)
    assert signed_over(until=NOON + timedelta(seconds=1))
    with pytest.raises(TrainingError, match=r"waiver, until: .*want an end within 183 days"):
        signed_over(until=NOON + timedelta(days=183, seconds=1))


def test_a_reason_has_twenty_characters_without_the_room_around_and_between_words() -> None:
    assert signed_over(because=" The office \n has   moved. ").because == "The office has moved."
    assert signed_over(because="a " * 10 + "b")
    assert signed_over(because="a" * 20)
    with pytest.raises(TrainingError, match="waiver, because"):
        signed_over(because=f" {'a' * 10}    {'b' * 8}   ")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"gates": ()}, "gates"),
        ({"gates": ("artefact",)}, r"gates\.0"),
        ({"gates": ("golden vectors",)}, r"gates\.0"),
        ({"gates": ("groups", "approver")}, r"gates\.1"),
        ({"given_by": "  "}, "given_by"),
        ({"gates": (), "given_by": "", "because": "short"}, "gates"),
        ({"at": NOON.replace(tzinfo=None)}, "given_at"),
    ],
)
def test_a_waiver_of_no_or_another_gate_or_of_nobody_is_refused(
    changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(TrainingError, match=f"^waiver, {named}: "):
        signed_over(**changed)


UNDECIDED_ONLY = (
    "better than random",
    "calibration",
    "leakage",
    "influence",
    "no worse than the champion",
    "canaries",
    "control lane",
    "live traffic",
)


@pytest.mark.parametrize("gate", ["groups", "proxies", "champion"])
def test_one_person_may_answer_for_three_gates_that_refuse(gate: str) -> None:
    alone = signed_over(gates=(gate,))

    assert alone.opens(Verdict(gate, "refused", "unfair"))
    assert not alone.opens(Verdict(gate, "undecided", "too few"))
    assert not alone.opens(Verdict("canaries", "undecided", "there are none"))


@pytest.mark.parametrize("gate", UNDECIDED_ONLY)
@pytest.mark.parametrize(
    ("verdict", "is_opened"), [("undecided", True), ("refused", False), ("passed", False)]
)
def test_two_people_may_answer_for_any_gate_that_is_undecided_and_for_no_refusal(
    gate: str, verdict: Answer, is_opened: bool
) -> None:
    both = signed_over(gates=(gate,), requested_by="joan")

    assert both.opens(Verdict(gate, verdict, "measured")) is is_opened
    assert not both.opens(Verdict("groups", "undecided", "not among its gates"))
    with pytest.raises(TrainingError, match=f"^waiver, persons: .*{gate}: want a requester"):
        signed_over(gates=("groups", gate))


@pytest.mark.parametrize("asks", ["grace", " Grace ", "GRACE"])
def test_nobody_asks_for_a_waiver_and_signs_it(asks: str) -> None:
    with pytest.raises(
        TrainingError, match=r"^waiver, persons: .*asks and signs; want two different people"
    ):
        signed_over(gates=("canaries",), requested_by=asks)


@pytest.mark.parametrize("asks", ["", "  "])
def test_nobody_is_not_a_person_who_asks(asks: str) -> None:
    with pytest.raises(TrainingError, match="waiver, requested_by"):
        signed_over(gates=("canaries",), requested_by=asks)


def test_a_refusal_is_in_words_of_our_own() -> None:
    with pytest.raises(TrainingError) as refused:
        signed_over(gates=("canaries",), requested_by="grace")

    assert "Value error" not in str(refused.value)


def test_a_waiver_says_who_asked_and_who_signed(tmp_path: Path) -> None:
    key = private_key(tmp_path / "keys", SIGNING)
    both = signed_over(gates=("canaries",), requested_by=" joan ")
    both.write(tmp_path, key)

    assert Waiver.of_model(tmp_path, public_pem(key.public_key())) == both.signed(key)
    assert both.in_words == f"waived by grace, asked by joan, until 2026-03-03: {WHY}"


def test_whoever_waives_is_named_without_the_room_around() -> None:
    assert signed_over(given_by=" grace ").given_by == "grace"


def test_a_signature_does_not_make_a_waiver_that_lasts_too_long_one(tmp_path: Path) -> None:
    key = private_key(tmp_path / "keys", SIGNING)
    whole = waived().model_copy(update={"until": NOON + timedelta(days=400)})
    whole.write(tmp_path, key)

    with pytest.raises(TrainingError, match=r"waiver\.json: .*want an end within 183 days"):
        Waiver.of_model(tmp_path, public_pem(key.public_key()))
    whole.model_copy(update={"gates": (), "because": ""}).write(tmp_path, key)
    with pytest.raises(TrainingError, match=r"waiver\.json: .*at least 1 item"):
        Waiver.of_model(tmp_path, public_pem(key.public_key()))


def test_a_waiver_that_another_key_signed_is_refused(tmp_path: Path) -> None:
    waived().write(tmp_path, private_key(tmp_path / "others", SIGNING))

    with pytest.raises(Tampered, match="is not signed as it stands"):
        Waiver.of_model(tmp_path, public_pem(private_key(tmp_path / "keys", SIGNING).public_key()))
