"""The deployer's periods, what they come to on a day, and what is done when one is over."""

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from features.arrow_schema import arrow_schema
from features.home_keys import keys_in_lines
from features.ingest.record_files import read_records, write_records
from features.records import RECORD_FILES
from features.signed_documents import is_signed
from serving.audit.erasure import ErasureLimits
from serving.audit.errors import RetentionRefused
from serving.audit.retention import PROPOSED_FOR, Retention
from serving.audit.retention_log import RetentionAct
from serving.audit.retention_periods import (
    MIN_LOG_DAYS,
    TEMPLATE,
    Periods,
    RetentionCutoffs,
    write_periods_template,
)
from serving.integrity.checkpoints import public_key_of
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.tables.scoring import answers
from tests.serving.audit.installation import ANY_CLOCK, certificate
from tests.serving.storage.test_key_destruction import EARLY, count, decide, readable

AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
HALF_A_YEAR_ON = AT + timedelta(days=185)
MOMENT = timedelta(microseconds=1)
PERIODS = """
[decisions]
mask_after_days = 10
erase_after_days = 200
[records]
erase_after_days = 31
[files]
erase_after_days = 30
[erasure]
wait_days = 0
"""
CUTS = RetentionCutoffs(
    mask="2026-03-21", decisions="2025-09-12", records="2026-02-28", files="2026-03-01"
)


def periods(mask: Any = 10, decisions: Any = 200, records: Any = 31, files: Any = 30) -> Periods:
    return Periods.model_validate(
        {
            "decisions": {"mask_after_days": mask, "erase_after_days": decisions},
            "records": {"erase_after_days": records},
            "files": {"erase_after_days": files},
        }
    )


@pytest.fixture
def remade() -> list[str]:
    """When the online feature store was made anew."""
    return []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    yield engine
    engine.dispose()


@pytest.fixture
def retention(settings: Settings, engine: Engine, remade: list[str]) -> Retention:
    settings.retention.write_text(PERIODS)
    return Retention(
        settings,
        DatabaseErasure(engine),
        RetentionRepository(engine),
        lambda: remade.append("state"),
        ANY_CLOCK,
    )


def test_a_period_is_1_to_36525_days() -> None:
    assert periods(mask=1, decisions=36_525).decisions.erase_after_days == 36_525
    for days in (1, 36_525):
        assert periods(records=days, files=days).records.erase_after_days == days
    for wrong in (0, -1, 36_526, 1.5, "soon", None):
        for name in ("mask", "decisions", "records", "files"):
            with pytest.raises(ValidationError):
                periods(**{name: wrong})


def test_the_log_of_decisions_lasts_six_months_at_least(tmp_path: Path) -> None:
    assert MIN_LOG_DAYS == 184  # the longest six months, from March to August
    assert periods(decisions=184).decisions.erase_after_days == 184
    for days in (183, 30, 11):
        with pytest.raises(
            ValidationError, match=r"want 184 days or more: .*AI Act 19\(1\), 26\(6\)"
        ):
            periods(decisions=days)
    file = tmp_path / "retention.toml"
    file.write_text(PERIODS.replace("= 200", "= 183"))
    with pytest.raises(RetentionRefused, match=r"decisions\.erase_after_days: .*want 184 days"):
        Periods.read(file)


def test_masking_comes_before_erasure() -> None:
    assert periods(mask=199).decisions.mask_after_days == 199
    for mask in (200, 201):
        with pytest.raises(ValidationError, match="want mask_after_days below erase_after_days"):
            periods(mask=mask)


def test_what_is_no_period_is_refused() -> None:
    sound = periods().model_dump()
    for part in ("decisions", "records", "files"):
        with pytest.raises(ValidationError, match="Extra inputs"):
            Periods.model_validate(sound | {part: sound[part] | {"keep_for_ever": True}})
        with pytest.raises(ValidationError, match="Field required"):
            Periods.model_validate({name: sound[name] for name in sound if name != part})
    with pytest.raises(ValidationError, match="Extra inputs"):
        Periods.model_validate(sound | {"others": {}})


def test_periods_are_not_changed_in_place() -> None:
    read = periods()
    with pytest.raises(ValidationError, match="frozen"):
        read.files = read.records
    with pytest.raises(ValidationError, match="frozen"):
        read.records.erase_after_days = 1
    with pytest.raises(FrozenInstanceError):
        CUTS.files = ""  # type: ignore[misc]  # what is tried


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "retention.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(RetentionRefused, match="is not TOML"):
        Periods.read(file)
    file.write_text(PERIODS.replace("= 30", '= "x"').replace("= 31", "= 0"))
    with pytest.raises(
        RetentionRefused, match=r"toml: records.erase_after_days: .*; files.erase_after_days: "
    ):
        Periods.read(file)


def test_each_period_is_counted_back_from_today() -> None:
    assert RetentionCutoffs.on(periods(), date(2026, 3, 31)) == CUTS
    assert CUTS.limits == ErasureLimits(decisions="2025-09-12", records="2026-02-28")


def test_the_template_is_laid_down_once_wherever_it_is_to_be(tmp_path: Path) -> None:
    for file in (tmp_path / "a" / "home" / "retention.toml", tmp_path / "other.toml"):
        write_periods_template(file)
        assert file.read_text() == TEMPLATE
        file.write_text(PERIODS)
        with pytest.raises(RetentionRefused, match="left as it is"):
            write_periods_template(file)
        assert file.read_text() == PERIODS


def test_what_is_masked_is_written_down(retention: Retention) -> None:
    assert retention.mask("ada", "ten days are over", AT) == "2026-03-21"

    assert retention.acts.masked_before() == "2026-03-21"
    assert retention.acts.all() == [
        RetentionAct(
            AT.isoformat(), "mask", "ada", "ten days are over", {"before": "2026-03-21"}, 1
        )
    ]


def test_a_proposal_says_what_is_due(retention: Retention) -> None:
    number = retention.propose("ada", "the time is over", AT)

    (act,) = retention.acts.all("propose")
    assert act == RetentionAct(
        AT.isoformat(),
        "propose",
        "ada",
        "the time is over",
        {**asdict(CUTS), "due": asdict(retention.due(CUTS))},
        number,
    )


def test_only_another_person_erases(retention: Retention) -> None:
    number = retention.propose(" Ada ", "the time is over", AT)

    for same in ("ada", "ADA", " ada", "Ada ", "ada\u200b", "ada.", "", "  "):
        with pytest.raises(RetentionRefused, match="another person must erase"):
            retention.erase(number, same, "as proposed", AT)
    assert retention.acts.all("erase") == []
    retention.erase(number, "grace", "as proposed", AT)


def test_a_proposal_is_followed_once_and_within_thirty_days(retention: Retention) -> None:
    assert timedelta(days=30) == PROPOSED_FOR
    first = retention.propose("ada", "the time is over", AT)
    second = retention.propose("ada", "the time is over", AT)

    with pytest.raises(RetentionRefused, match=f"proposal {first} is of 2026-03-31; propose anew"):
        retention.erase(first, "grace", "as proposed", AT + PROPOSED_FOR + MOMENT)
    retention.erase(first, "grace", "as proposed", AT + PROPOSED_FOR)
    with pytest.raises(RetentionRefused, match=f"proposal {first} was followed already"):
        retention.erase(first, "grace", "as proposed", AT)
    retention.erase(second, "grace", "as proposed", AT)
    with pytest.raises(RetentionRefused, match="there is no proposal 3"):
        retention.erase(3, "grace", "as proposed", AT)


def test_what_is_erased_is_what_was_proposed_whatever_the_periods_are_since(
    retention: Retention,
) -> None:
    number = retention.propose("ada", "the time is over", AT)
    retention.settings.retention.write_text(PERIODS.replace("= 200", "= 190"))

    told = json.loads(certificate(retention.erase(number, "grace", "as proposed", AT)).read_text())

    assert told["details"] == {"proposal": number, **asdict(CUTS)}


def test_a_certificate_says_all_of_an_erasure_and_is_signed(
    retention: Retention, remade: list[str]
) -> None:
    number = retention.propose("ada", "the time is over", AT)

    file = certificate(retention.erase(number, "grace", "as proposed", AT + timedelta(days=1)))

    assert file == retention.settings.erasures / f"{number}.json"
    told = {
        "at": "2026-04-01T12:00:00+00:00",
        "action": "erase",
        "by": "grace",
        "because": "as proposed",
        "details": {"proposal": number, **asdict(CUTS)},
        "destroyed": {"decisions": 0, "records": 0, "keys": 0, "kept": 0},
        "rows": {},
    }
    stated = json.loads(file.read_text())
    assert stated == told | {"signature": stated["signature"]}
    assert file.read_text().splitlines()[1] == ' "at": "2026-04-01T12:00:00+00:00",'
    keys = keys_in_lines(public_key_of(retention.settings.keys))
    assert is_signed("certificate of erasure", stated, keys)
    assert not is_signed("certificate of erasure", stated | {"by": "mallory"}, keys)
    assert remade == ["state"]


def test_a_hold_ends_once_by_its_number(retention: Retention) -> None:
    other = retention.propose("ada", "the time is over", AT)
    number = retention.hold("shipment", "S-1", "ada", "a court asks", AT)

    (hold,) = retention.acts.holds()
    token = retention.erasure.subject_token("shipment", "S-1")
    assert hold == RetentionAct(
        AT.isoformat(),
        "hold",
        "ada",
        "a court asks",
        {"subject_kind": "shipment", "subject": token},
        number,
    )
    for wrong in (other, 77):
        with pytest.raises(RetentionRefused, match=f"there is no hold {wrong}"):
            retention.lift(wrong, "ada", "it has ended", AT)
    retention.lift(number, "grace", "it has ended", AT)
    assert retention.acts.holds() == []
    lift = RetentionAct(
        AT.isoformat(), "lift", "grace", "it has ended", {"hold": number}, number + 1
    )
    assert retention.acts.all("lift") == [lift]
    with pytest.raises(RetentionRefused, match=f"there is no hold {number}"):
        retention.lift(number, "ada", "it has ended", AT)


def test_what_is_held_or_frozen_stays_in_an_erasure(
    retention: Retention, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(engine, held=EARLY, frozen=EARLY, free=EARLY)
    retention.hold("shipment", "S-held", "ada", "a court asks", AT)
    frozen = {retention.settings.incidents: [(2, 2)]}
    monkeypatch.setattr("serving.audit.retention.holding_stretches", frozen.__getitem__)
    number = retention.propose("ada", "the time is over", HALF_A_YEAR_ON)

    told = json.loads(
        certificate(retention.erase(number, "grace", "as proposed", HALF_A_YEAR_ON)).read_text()
    )

    (proposed,) = retention.acts.all("propose")
    assert (proposed.details["due"]["held"], proposed.details["due"]["frozen"]) == (1, 1)
    assert told["destroyed"] == {"decisions": 1, "records": 0, "keys": 1, "kept": 2}
    assert readable(engine, "held", "frozen", "free") == ["held", "frozen"]
    assert count(engine, answers) == 2  # that of the third was swept


def write(folder: Path, **rows: list[dict[str, Any]]) -> None:
    """Record files with these rows, and without any else."""
    folder.mkdir(parents=True)
    for name, record in RECORD_FILES.items():
        table = pa.Table.from_pylist(rows.get(name, []), arrow_schema(record))
        write_records(folder, name, table)


FILES_CUT = datetime(2026, 3, 1, tzinfo=UTC)


def journey(name: str, declared_at: datetime) -> dict[str, Any]:
    return {
        "journey_id": name,
        "mode": "sea",
        "carrier_id": "c",
        "conveyance_id": "v",
        "conveyance_kind": "fishing_vessel",
        "registration_country": "PT",
        "origin": "TRIZM",
        "destination": "GRPIR",
        "declared_at": declared_at,
        "due_at": declared_at + timedelta(hours=9),
    }


def leg(name: str, sequence: int, known_at: datetime | None) -> dict[str, Any]:
    return {
        "journey_id": name,
        "sequence": sequence,
        "origin": "TRIZM",
        "destination": "GRPIR",
        "known_at": known_at,
    }


def test_rows_leave_the_record_files_that_were_known_before_the_day(retention: Retention) -> None:
    folder = retention.settings.records
    old, new = FILES_CUT - MOMENT, FILES_CUT
    write(
        folder,
        journeys=[journey("old", old), journey("older", old), journey("new", new)],
        legs=[
            leg("old", 1, old),
            leg("old", 2, None),
            leg("old", 3, new),
            leg("new", 1, old),
            leg("new", 2, None),
        ],
    )
    number = retention.propose("ada", "the time is over", AT)

    told = json.loads(certificate(retention.erase(number, "grace", "as proposed", AT)).read_text())

    assert read_records(folder, "journeys")["journey_id"].to_pylist() == ["new"]
    legs = read_records(folder, "legs").select(["journey_id", "sequence"]).to_pylist()
    assert [(each["journey_id"], each["sequence"]) for each in legs] == [("old", 3), ("new", 2)]
    rows = dict.fromkeys((f"records/{name}" for name in RECORD_FILES), 0)
    assert told["rows"] == rows | {"records/journeys": 2, "records/legs": 3}


def test_training_sets_go_that_hold_a_subject_of_before_the_newest_of_the_days(
    retention: Retention,
) -> None:
    cut = datetime(2026, 3, 1, tzinfo=UTC)  # of files, the newest
    sets = retention.settings.home / "training_sets"
    for name, declared in {
        "route": [cut + timedelta(days=9), cut - MOMENT],
        "studies/shipment": [cut - MOMENT, cut - MOMENT],
        "new": [cut, cut + timedelta(days=9)],
        "empty": [],
    }.items():
        (sets / name).mkdir(parents=True)
        instants = pa.array(declared, pa.timestamp("us", "UTC"))
        pq.write_table(pa.table({"declared_at": instants}), sets / name / "subjects.parquet")
        (sets / name / "features.parquet").write_bytes(b"features")
    number = retention.propose("ada", "the time is over", AT)

    told = json.loads(certificate(retention.erase(number, "grace", "as proposed", AT)).read_text())

    assert told["rows"] == {"training_sets/route": 2, "training_sets/studies/shipment": 2}
    left = {file.parent.name for file in sets.rglob("*.parquet")}
    assert left == {"new", "empty"}
