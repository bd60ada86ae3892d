"""The demonstration at a set time, twice in the same place, and what it leaves behind.

What is invented and learnt differs with the day, so that what is said of it is checked on others in
full: month ends, 29 February, changes of summer time, the turn of the year, midnight.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any, get_args

import pytest

from features.catalogue import features_by_name
from features.ingest.record_files import read_records
from serving.access.accounts import admits
from serving.access.actors import Actor
from serving.audit.decision import Decision
from serving.cli.demo import LIVE_DAYS, MONTH
from serving.cli.demo_people import PEOPLE, RESCUER, REVIEWER, SECOND
from serving.cli.demo_teams import GOODS_TEAM
from serving.cli.demo_world import OFFICES_OF_MONTH
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseAccess, CaseFilter
from serving.review.cases.case_state import Status
from serving.review.letters.letter import Letter
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.notice_repository import NoticeRepository
from serving.storage.repositories.team_repository import TeamRepository
from serving.storage.verification.audit_verification import verify_audit_log
from tests.counts import count, in_full_alone
from tests.demo_at import clock_from
from tests.demo_decisions import OF_EACH_KIND
from tests.ports import free_port
from tests.true_decisions import Said, said_of
from tests.true_letters import untrue_in_letter
from tests.true_reasons import untrue_reasons
from tests.true_words import DIGITS, LEADS, NOT_SHOWN, OUTWEIGHS, RANGE, untrue_words

RUNS = count(1, 2)  # in the same place, one after the other
CLOCK = datetime(2026, 12, 1, 13, 22, tzinfo=UTC)
OTHER_DAYS = (
    "2024-02-29T09:30:00+00:00",
    "2025-03-30T01:00:00+00:00",
    "2025-04-30T23:59:59+00:00",
    "2025-10-26T01:30:00+00:00",
    "2025-12-31T23:59:59+00:00",
    "2026-01-01T00:00:00+00:00",
    "2026-02-28T18:00:00+00:00",
    "2026-08-31T06:00:00+00:00",
    "2026-11-29T00:00:00+00:00",
    "2026-12-02T00:00:01+00:00",
)
TIDEGATE = [sys.executable, "-m", "serving.cli.main"]
NUMBER_AT_THE_END = re.compile(r"([+-]\d+\.\d{3})$", flags=re.MULTILINE)
ACCOUNT = re.compile(r"^  (demo-[a-z-]+) +[a-z_]+ +(.+)$", flags=re.MULTILINE)


def demo_at(clock: datetime | str, home: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.demo_at", str(clock), str(home)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def tidegate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TIDEGATE, *arguments], capture_output=True, text=True, check=False)


def database_of(home: Path) -> Any:
    return open_database(home / "tidegate.db", is_service=False, keys=home / "keys")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def shown(home: Path) -> list[subprocess.CompletedProcess[str]]:
    return [demo_at(CLOCK, home) for _ in range(RUNS)]


@pytest.mark.faults
def test_it_ends_well_and_does_so_again_in_the_same_place(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    assert [ran.returncode for ran in shown] == [0] * RUNS, shown[-1].stderr


@in_full_alone
@pytest.mark.faults
def test_the_command_shows_it_by_the_clock_of_the_machine(tmp_path: Path) -> None:
    home = tmp_path / "home"
    began = datetime.now(UTC)

    ran = tidegate("demo", "--once", "--home", str(home), "--port", str(free_port()))

    assert ran.returncode == 0, ran.stderr
    newest = max(declared_in(home))
    assert timedelta(0) < datetime.now(UTC) - newest < datetime.now(UTC) - began + timedelta(days=1)


@in_full_alone
@pytest.mark.faults
@pytest.mark.parametrize("day", OTHER_DAYS)
def test_on_other_days_it_ends_well_and_says_only_what_is_true(day: str, tmp_path: Path) -> None:
    home, clock = tmp_path / "home", clock_from(datetime.fromisoformat(day))

    ran = demo_at(day, home)

    assert ran.returncode == 0, ran.stderr
    assert max(declared_in(home)) < clock()
    said = said_of(home, clock_from(clock() + timedelta(hours=1)))
    assert [*said.untrue_reasons(), *said.untrue_words(), *said.invented_reasons()] == []
    assert [*said.untrue_letters()] == []


@pytest.mark.usefixtures("shown")
def test_nothing_is_declared_later_than_the_clock(home: Path) -> None:
    from serving.storage.repositories.decision_repository import DecisionRepository

    records = DecisionRepository(database_of(home)).records()
    decisions = [Decision.model_validate_json(record) for record in records if record]
    assert all(each.submission.declared_at <= each.scored_at for each in decisions)
    # The clock runs on while the world is invented, so the bound is what it says at the last score.
    scored = max(each.scored_at for each in decisions)
    assert CLOCK - timedelta(hours=1) < max(declared_in(home)) < scored


def declared_in(home: Path) -> list[datetime]:
    declared = (read_records(home / "world", name) for name in ("shipments", "journeys"))
    return [at for table in declared for at in table["declared_at"].to_pylist()]


def test_the_printed_contributions_add_up_to_the_printed_log_odds(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    for ran in shown:
        *parts, total = (float(number) for number in NUMBER_AT_THE_END.findall(ran.stdout))
        assert len(parts) >= 4
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_it_names_the_console_and_prints_no_log_lines(
    shown: list[subprocess.CompletedProcess[str]],
) -> None:
    assert re.search(r"Console: http://127\.0\.0\.1:\d+/console", shown[0].stdout)
    assert '"event"' not in shown[0].stdout + shown[0].stderr


@pytest.mark.faults
def test_it_prints_an_account_for_each_role_once_and_makes_no_more_of_them(
    shown: list[subprocess.CompletedProcess[str]], home: Path
) -> None:
    kept = json.loads(tidegate("accounts", "list", "--home", str(home), "--json").stdout)
    first, *again = (dict(ACCOUNT.findall(ran.stdout)) for ran in shown)

    assert {account["name"]: account["role"] for account in kept} == PEOPLE
    assert first.keys() == PEOPLE.keys()
    assert again == [dict.fromkeys(PEOPLE, "password as printed before")] * (RUNS - 1)
    accounts = AccountRepository(database_of(home))
    assert all(admits(accounts.find(name), password) for name, password in first.items())


@pytest.mark.usefixtures("shown")
def test_cases_are_at_every_stage_and_a_confirmed_one_has_no_worked_on_neighbour(
    home: Path,
) -> None:
    store = CaseRepository(database_of(home))
    access = CaseAccess(frozenset(), is_rescue=False)
    every = store.list_cases(access, CaseFilter(), 1_000)
    today = CLOCK - timedelta(hours=1)
    rows = [row for row in every if row.opened_at > today]
    states = {row.case_id: CASE.validate_json(row.state) for row in rows}

    assert {case.status for case in states.values()} == {*get_args(Status)}
    ends = {case.result.code: case for case in states.values() if case.result}
    assert ends.keys() == {"goods_found", "nothing_found", "documents_in_order"}
    found = ends["goods_found"]
    assert [by.name for by in found.ended_by] == [REVIEWER, SECOND]
    things = store.shared_things(found.case_id, access)
    others = {o.case_id for t in things for o in t.others}
    assert {states[each].status for each in others & states.keys()} <= {"open"}
    assert any(row.status == "assigned" and row.owner_name == REVIEWER for row in rows)
    events = [(row.case_id, event.action) for row in rows for event in store.events(row.case_id)]
    assert {"judge", "note", "assign", "wait", "agree", "tag"} <= {action for _, action in events}
    assert Counter(events)[found.case_id, "agree"] == 1  # the second run found the work done


@pytest.mark.usefixtures("shown")
def test_two_teams_have_cases_one_is_escalated_a_colleague_was_mentioned_and_cases_have_tags(
    home: Path,
) -> None:
    database = database_of(home)
    store, access = CaseRepository(database), CaseAccess(frozenset(), is_rescue=False)
    of_office, goods = sorted(
        TeamRepository(database).all(), key=lambda team: team.office_id is None
    )
    rows = store.list_cases(access, CaseFilter(), 1_000)
    now = CLOCK + timedelta(hours=3)

    assert (goods.name, goods.office_id) == (GOODS_TEAM, None)
    at_office = {row.office_id for row in rows if row.team == of_office.name}
    assert at_office <= {of_office.office_id}
    assert any(row.team == goods.name for row in rows)
    assert any(row.escalated_at and row.owner_name == SECOND for row in rows)
    second = Actor(f"account:{SECOND}", SECOND)
    told = NoticeRepository(database).of_holder(second, access, now)
    assert "mentioned" in {notice.kind for notice in told if notice.read_at is None}
    assert store.tags_in_use(access, 9) == ["false wall", "late papers", "wrong weight"]
    tagged = store.list_cases(access, CaseFilter(tag="late papers"), 9)
    assert len(tagged) == 2


@pytest.mark.usefixtures("shown")
def test_a_month_lies_behind_the_cases_and_a_second_run_adds_none(home: Path) -> None:
    database = database_of(home)
    store, access = CaseRepository(database), CaseAccess(frozenset(), is_rescue=False)
    rows = store.list_cases(access, CaseFilter(), 1_000)
    before = [row for row in rows if row.opened_at < CLOCK - timedelta(hours=12)]
    days = {row.opened_at.date() for row in before}
    results = [end for row in before if (end := CASE.validate_json(row.state).result)]

    assert len(days) > 20
    assert min(days) >= (CLOCK - MONTH - timedelta(days=LIVE_DAYS)).date()
    assert 3 <= len({row.office_id for row in before}) <= OFFICES_OF_MONTH
    assert sum(end.label == "not_confirmed" for end in results) > 20
    assert any(end.label == "confirmed" for end in results)
    assert len({row.subject_id for row in before}) == len(before)
    assert verify_audit_log(database).is_whole


@pytest.mark.usefixtures("shown")
def test_a_rescuer_has_a_rescue(home: Path) -> None:
    access = CaseAccess(frozenset(), is_rescue=True)
    rescues = CaseRepository(database_of(home)).list_cases(access, CaseFilter(), 200)

    assert not rescues or RESCUER in {row.owner_name for row in rescues}


@pytest.mark.usefixtures("shown")
def test_an_mlflow_client_loads_the_champion_and_predicts(home: Path) -> None:
    """In a process of its own, as a data scientist would, with the flavour's own loader."""
    program = f"""
import mlflow, pandas as pd
mlflow.set_tracking_uri("sqlite:///{home / "mlflow.db"}")
booster = mlflow.lightgbm.load_model("models:/tidegate-shipment@champion")
rows = pd.DataFrame(0.0, index=range(3), columns=booster.feature_name())
print(len(booster.predict(rows)), booster.num_feature())
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    rows, features = map(int, ran.stdout.split())
    assert rows == 3
    assert features >= 30


@pytest.mark.usefixtures("shown")
def test_every_stored_decision_replays_to_the_bit(home: Path) -> None:
    from serving.storage.repositories.decision_repository import DecisionRepository

    records = list(
        DecisionRepository(open_database(home / "tidegate.db", is_service=False)).records()
    )
    assert len(records) >= 200

    for record in (records[0], records[-1]):
        ran = tidegate("replay", decision_id(record), "--home", str(home), "--json")
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["identical"]


@pytest.mark.usefixtures("shown")
def test_a_file_of_shipments_is_scored_offline(home: Path, tmp_path: Path) -> None:
    asked = home / "records" / "shipments.parquet"
    arguments = ("--subject", "shipment", "--home", str(home), "--json")

    ran = tidegate("score", str(asked), *arguments, "--out", str(tmp_path / "scores.parquet"))

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["subjects"] > 30_000


@pytest.fixture(scope="module")
def said(
    shown: list[subprocess.CompletedProcess[str]],
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Said:
    """What is said of the world's last subjects, under a plan with rules and a watch-list."""
    assert shown
    copy = tmp_path_factory.mktemp("said") / "home"
    copytree(home, copy)
    return said_of(copy, clock_from(CLOCK + timedelta(hours=1)))


@pytest.fixture(scope="module")
def explained(said: Said) -> list[dict[str, Any]]:
    return said.answers


@pytest.mark.faults
def test_no_reason_of_many_decisions_is_untrue(said: Said) -> None:
    assert [*said.untrue_reasons()] == []
    assert sum(len(answer["reasons"]) for answer in said.answers) > 2 * len(said.answers)
    assert len(said.answers) == 2 * OF_EACH_KIND


@pytest.mark.faults
def test_nothing_of_many_decisions_is_said_wrongly(said: Said) -> None:
    assert [*said.untrue_words()] == []
    assert [*said.invented_reasons()] == []
    assert any(decision.lane_reason == "random" for decision, _ in said.reasons_in_queue)


def test_words_that_are_wrong_would_be_found(explained: list[dict[str, Any]]) -> None:
    of = next(a for a in explained if any(r["sign_of"] for r in a["reasons"]))
    at = next(at for at, reason in enumerate(of["reasons"]) if reason["sign_of"])
    lead = of["reasons"][at]["evidence"][0]

    def faults(changed: dict[str, Any], **of_reason: Any) -> str:
        reason = of["reasons"][at] | of_reason
        reasons = [*of["reasons"][:at], reason, *of["reasons"][at + 1 :]]
        return "\n".join(untrue_words({**of, "reasons": reasons} | changed))

    assert faults({}) == ""
    assert NOT_SHOWN in faults({}, effect="against")
    assert LEADS in faults({}, evidence=[{**lead, "value": None}])
    assert LEADS in faults({}, words="Another fact (as in 4 % of all).")
    assert OUTWEIGHS in faults({"remainder": {"features": 9, "log_odds": 9.0}})
    assert OUTWEIGHS in faults({"habits": {"features": 9, "log_odds": 9.0, "named": {}}})
    assert RANGE in faults({"probability": 2.0})
    assert DIGITS in faults({}, evidence=[{**lead, "usual": "as in 12.345 % of all"}])
    seldom = {"feature": "corridor_journeys_90d", "value": 40.0, "sentence": "40 journeys"}
    asked = {
        "indicator": "J04",
        "sign_of": "a corridor that is seldom used",
        "words": "40 journeys.",
    }
    assert NOT_SHOWN in faults({}, evidence=[lead | seldom], **asked)


@pytest.mark.faults
def test_no_letter_about_many_decisions_gives_a_reason_that_did_not_select(
    said: Said,
) -> None:
    assert [*said.untrue_letters()] == []
    selections = Counter(letter.selection for _, letter in said.letters)
    assert {"lot", "rule", "information", "score"} <= selections.keys(), selections


def test_a_letter_that_says_what_did_not_select_would_be_found(said: Said) -> None:
    letters = {letter.selection: (decision, letter) for decision, letter in said.letters}
    by_score, (drawn, of_lot) = letters["score"], letters["lot"]

    def faults(decision: Decision, letter: Letter, **changed: Any) -> list[str]:
        return [*untrue_in_letter(decision, replace(letter, **changed), said.published)]

    with_reasons = next(letter for _, letter in said.letters if letter.speaks_for.own)
    published = next(words for words in said.published.values() if words)
    assert faults(drawn, of_lot) == []
    assert faults(drawn, by_score[1])
    assert faults(drawn, of_lot, selection="rule")
    assert faults(drawn, of_lot, rule=published)
    assert faults(drawn, of_lot, speaks_for=with_reasons.speaks_for)
    assert faults(*by_score, speaks_against=with_reasons.speaks_for)
    assert faults(*by_score, selection="information")


def test_an_untrue_reason_would_be_found(explained: list[dict[str, Any]]) -> None:
    every = [(answer, reason) for answer in explained for reason in answer["reasons"]]
    of, one = next((answer, reason) for answer, reason in every if reason["effect"] == "for")

    def faults(**changed: Any) -> list[str]:
        lead = next(e for e in one["evidence"] if e["contribution"] > 0)
        reason = {**one, "evidence": [{**lead, **changed}]}
        return [*untrue_reasons({**of, "reasons": [reason]})]

    def under(indicator: str) -> list[str]:
        return [*untrue_reasons({**of, "reasons": [{**one, "indicator": indicator}]})]

    scale = next(f for f in features_by_name().values() if f.indicator is None)
    rate = next(name for name in features_by_name() if name.endswith("_confirmed_rate"))
    assert faults() == []
    assert faults(value=None)
    assert faults(feature=scale.name)
    assert faults(feature=rate, sentence="Of inspected ones, 30 % were confirmed")
    assert under("D99")


def test_a_comfort_of_which_nothing_is_known_would_be_found(
    explained: list[dict[str, Any]],
) -> None:
    unpaid = next(a for a in explained if "transactions" in a["missing"] and a["reasons"])
    like = unpaid["reasons"][0]
    evidence = {"feature": "payer_count", "value": 0.0, "contribution": -0.1, "sentence": "0 paid"}
    evidence |= {"comparison": {"percentile": 7.5}}
    comfort = like | {"indicator": "T15", "effect": "against", "evidence": [evidence]}

    faults = [*untrue_reasons({**unpaid, "reasons": [comfort]})]

    assert len(faults) == 1
    assert "nothing is known" in faults[0]


def decision_id(record: str) -> str:
    found: str = json.loads(record)["decision_id"]
    return found
