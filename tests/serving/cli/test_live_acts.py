"""Acts of the command line in live use: two persons, by keys of their own, or nothing happens."""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from features import key_wrapping
from features.errors import TidegateError
from serving.access.accounts import Account
from serving.access.actors import SERVICE, Actor
from serving.access.approvals import GivenApproval
from serving.access.errors import ApprovalRefused
from serving.access.roles import Role
from serving.audit.errors import ClockDisagrees, RetentionRefused
from serving.audit.retention_log import RetentionAct
from serving.cli.main import app as tidegate
from serving.doctor.all_checks import run_checks
from serving.integrity.audit_log import AuditEvent
from serving.models.kill_switch import record_switch
from serving.models.model_pool import ModelPool, load_role
from serving.models.slot_approvals import SlotApprovals
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.tables.audit import audit_events
from serving.storage.write_lock import hold_for_service
from tests.serving.audit.installation import PERIODS
from training.errors import PromotionRefused
from training.model.model_home import ModelHome
from training.model.model_pointer import ModelPointer
from training.registry.mlflow.store import TrackingStore

NAME = "tidegate-shipment"
PASSPHRASE = "a tide gate at night"
WHY = "The first champion; there is nothing to compare it with."
PERSONS: dict[str, Role] = {"alpha": "supervisor", "beta": "data_scientist", "gamma": "admin"}


def in_a_month() -> str:
    return f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"


def run(*arguments: Any) -> Any:
    """A command's output; an error that it would print is raised."""
    result = CliRunner().invoke(tidegate, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@dataclass
class LiveHome:
    """A home in live use, whose people hold keys."""

    home: Path
    keys: Path
    signed: int = 0

    @property
    def engine(self) -> Any:
        return open_database(self.home / "tidegate.db", is_service=False)

    @property
    def register(self) -> ApprovalRepository:
        return ApprovalRepository(self.engine)

    @property
    def pointer(self) -> ModelPointer | None:
        return ModelHome(self.home).pointer(NAME, "champion")

    def run(self, *arguments: Any) -> Any:
        result = run(*arguments, "--home", self.home)
        assert result.exit_code == 0, result.output
        return result

    def joins(self, name: str, role: Role) -> None:
        """A new colleague, who makes a key of their own, which is registered."""
        AccountRepository(self.engine).add_account(Account(name, "-", role, (), datetime.now(UTC)))
        with passphrase() as descriptor:
            out = self.keys / f"{name}.key"
            run("approvals", "new-key", "--out", out, "--passphrase-fd", descriptor)
        self.run("accounts", "change", name, "--approval-key", self.keys / f"{name}.key.pub")

    def signs(self, name: str, part: str, *act: Any) -> Path:
        """What one person signs, in a file."""
        self.signed += 1
        out = self.keys / f"{self.signed}.json"
        with passphrase() as descriptor:
            self.run(
                *("approvals", "sign", *act, "--as", part, "--out", out),
                *("--key", self.keys / f"{name}.key", "--passphrase-fd", descriptor),
            )
        return out

    def both(self, *act: Any, by: tuple[str, str] = ("alpha", "beta")) -> list[str]:
        """The options of an act that two persons signed."""
        parts = zip(by, ("proposer", "approver"), strict=True)
        files = [self.signs(name, part, *act) for name, part in parts]
        return [word for file in files for word in ("--approval", str(file))]

    def events(self, *actions: str) -> list[Any]:
        query = select(audit_events).where(audit_events.c.action.in_(actions))
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(audit_events.c.seq)))

    def loaded(self) -> str:
        """The version that a service in live use would load."""
        folder, key = self.home / "models" / NAME, self.home / "keys" / "signing.pub"
        return load_role(folder, "champion", key, SlotApprovals(self.register)).version


class passphrase:
    """A file descriptor with the passphrase of everybody here."""

    def __enter__(self) -> int:
        self.reading, writing = os.pipe()
        os.write(writing, PASSPHRASE.encode() + b"\n")
        os.close(writing)
        return self.reading

    def __exit__(self, *_: object) -> None:
        os.close(self.reading)


@pytest.fixture(autouse=True)
def quick_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a passphrase be turned into a key at once: what that costs a thief is not tried here."""
    monkeypatch.setattr(key_wrapping, "_SCRYPT", {"n": 2**10, "r": 8, "p": 1})


@pytest.fixture
def live(home: Path, tmp_path: Path) -> LiveHome:
    """Version 1 is registered in MLflow, and no champion was approved yet."""
    client, models = TrackingStore.open(home).client, ModelHome(home)
    run_id = client.create_run(client.create_experiment("live")).info.run_id
    client.create_registered_model(NAME)
    client.create_model_version(NAME, "file:nowhere", run_id)
    folder = models.folder_of(NAME, "1")
    registration = models.registration_of(folder).model_copy(update={"run_id": run_id})
    registration = registration.signed(models.signing_key)
    (folder / "registration.json").write_text(registration.model_dump_json())
    models.clear(NAME, "champion")
    (tmp_path / "held").mkdir()
    live = LiveHome(home, tmp_path / "held")
    live.register.begin_live_use(SERVICE, datetime.now(UTC))
    for name, role in PERSONS.items():
        live.joins(name, role)
    return live


def waived(live: LiveHome) -> list[str]:
    """The words that leave every gate open that would stop version 1."""
    with pytest.raises(PromotionRefused) as refused:
        live.run("promote", "--model", f"{NAME}/1", *live.both("promote", f"{NAME}/1"))
    gates = (*refused.value.undecided, *refused.value.answerable)
    assert len(gates) == len(refused.value.reasons)
    words = [word for gate in gates for word in ("--waive", gate)]
    return [*words, "--because", WHY, "--until", in_a_month()]


def promoted(live: LiveHome) -> list[str]:
    """Promote version 1 as two persons agreed, and three for its gates; their files."""
    words = waived(live)
    waiver = live.both("waive", f"{NAME}/1", *words, by=("alpha", "gamma"))
    approvals = [*live.both("promote", f"{NAME}/1"), *waiver]
    live.run("promote", "--model", f"{NAME}/1", *words, *approvals)
    return [*words, *approvals]


@pytest.mark.parametrize(
    "act",
    [
        ("promote", "--model", f"{NAME}/1", "--approver", "grace"),
        ("promote", "--model", f"{NAME}/1"),
        ("promote", "--model", f"{NAME}/1", "--shadow", "--approver", "grace"),
        ("promote", "--model", f"{NAME}/1", "--shadow", "--approver", ""),
        ("switch", "on", "--by", "the minister", "--because", "it is repaired now"),
        ("retention", "erase", "1", "--by", "grace", "--because", "as proposed"),
    ],
)
def test_in_live_use_a_name_is_no_approval(live: LiveHome, act: tuple[str, ...]) -> None:
    proposal = RetentionAct(datetime.now(UTC).isoformat(), "propose", "ada", "over", {})
    RetentionRepository(live.engine).append(proposal)

    with pytest.raises(ApprovalRefused, match="two persons must agree") as refused:
        live.run(*act)

    assert "tidegate approvals propose" in str(refused.value)
    assert "tidegate approvals sign" in str(refused.value)
    assert live.pointer is None
    assert live.events("promote", "shadow", "switch_on") == []


def test_a_promotion_takes_two_persons_and_a_waiver_another_than_the_approver(
    live: LiveHome,
) -> None:
    words = waived(live)
    approvals = live.both("promote", f"{NAME}/1")
    command = ("promote", "--model", f"{NAME}/1", *words)

    with pytest.raises(ApprovalRefused, match="two persons must agree to leave gates open"):
        live.run(*command, *approvals)
    for pair in (("alpha", "beta"), ("beta", "gamma")):
        waiver = live.both("waive", f"{NAME}/1", *words, by=pair)
        with pytest.raises(ApprovalRefused, match="beta approves it and waives its gates"):
            live.run(*command, *approvals, *waiver)
    assert live.pointer is None
    waiver = live.both("waive", f"{NAME}/1", *words, by=("alpha", "gamma"))
    live.run(*command, *approvals, *waiver)

    pointer = live.pointer
    assert pointer is not None
    assert [(each.identity, each.part) for each in pointer.approvers] == [
        ("account:alpha", "proposer"),
        ("account:beta", "approver"),
    ]
    assert live.loaded() == "1"
    (event,) = live.events("promote")
    assert event.actor == Actor.from_command_line().identity
    assert event.details["pointer"] == pointer.content_digest
    told = (ModelHome(live.home).folder_of(NAME, "1") / "waiver.json").read_text()
    assert ('"requested_by": "alpha"' in told, '"given_by": "gamma"' in told) == (True, True)

    with pytest.raises(ApprovalRefused, match=r"of another act|used already"):
        live.run(*command, *approvals, *waiver)


def test_live_use_needs_every_gate_decided_whatever_a_trial_does_without(live: LiveHome) -> None:
    command = ("promote", "--model", f"{NAME}/1", *live.both("promote", f"{NAME}/1"))

    with pytest.raises(PromotionRefused, match="canaries, undecided: there is no champion"):
        live.run(*command)
    with pytest.raises(AssertionError, match="live use needs every gate decided"):
        live.run(*command, "--profile", "pilot")


def test_one_person_is_not_two_by_key_and_in_the_console(live: LiveHome) -> None:
    live.run("approvals", "propose", "promote", f"{NAME}/1")
    (pending,) = live.register.newest_pending(9)
    assert {each["gate"] for each in pending.evidence["gates"]} >= {"artefact", "golden vectors"}
    actor = Actor("account:alpha", "alpha", "alpha")
    live.register.answer(pending.act.act_id, "alpha", actor, datetime.now(UTC), is_agreed=True)
    own = live.signs("alpha", "approver", "promote", f"{NAME}/1")

    with pytest.raises(ApprovalRefused, match="two different persons"):
        live.run("promote", "--model", f"{NAME}/1", "--approval", own)
    other = live.signs("gamma", "approver", "promote", f"{NAME}/1")
    with pytest.raises(PromotionRefused):  # by its gates, no longer by persons
        live.run("promote", "--model", f"{NAME}/1", "--approval", other)


def test_the_key_of_the_home_seats_nobody_without_the_keys_of_people(live: LiveHome) -> None:
    """A thief of the home's signing key writes pointers, with every approval there ever was."""
    promoted(live)
    models, sound = ModelHome(live.home), live.pointer
    assert sound is not None
    file = live.home / "models" / NAME / "champion.json"
    lawful = file.read_bytes()
    second = live.home / "models" / NAME / "2"
    shutil.copytree(models.folder_of(NAME, "1"), second)

    def forged(**said: Any) -> None:
        models.point("champion", sound.model_copy(update=said))
        with pytest.raises(ApprovalRefused):
            live.loaded()

    forged(approvals=())
    forged(version="2")
    forged(verdicts=(*sound.verdicts, sound.verdicts[0].model_copy(update={"is_waived": True})))
    forged(set_at=datetime.now(UTC))
    forged(approvals=sound.approvals[:2])
    forged(approvals=(sound.approvals[0], sound.approvals[0]))
    file.write_bytes(lawful)
    assert live.loaded() == "1"
    pool = ModelPool(
        live.home / "models",
        live.home / "keys" / "signing.pub",
        approvals=SlotApprovals(live.register),
    )
    models.point("champion", sound.model_copy(update={"approvals": ()}))
    pool.refresh()
    assert "was promoted in a trial" in pool.refused["champion", "shipment"]
    assert pool.champion("shipment").version == "1"
    told = [check.says for check in run_checks(Settings(home=live.home)) if NAME in check.what]
    assert "was promoted in a trial" in told[0]


def test_a_pointer_of_before_is_not_put_back_by_hand(live: LiveHome) -> None:
    promoted(live)
    file = live.home / "models" / NAME / "champion.json"
    earlier = file.read_bytes()
    words = waived(live)
    waiver = live.both("waive", f"{NAME}/1", *words, by=("alpha", "gamma"))
    approvals = [*live.both("promote", f"{NAME}/1"), *waiver]
    live.run("promote", "--model", f"{NAME}/1", *words, *approvals)
    assert live.loaded() == "1"

    file.write_bytes(earlier)

    with pytest.raises(ApprovalRefused, match="the last act on record did not write this"):
        live.loaded()


def test_a_shadow_takes_two_persons_who_agreed_to_a_shadow(live: LiveHome) -> None:
    command = ("promote", "--model", f"{NAME}/1", "--shadow")
    with pytest.raises(ApprovalRefused, match="two persons must agree to let score in the shadow"):
        live.run(*command, *live.both("promote", f"{NAME}/1"))

    live.run(*command, *live.both("shadow", f"{NAME}/1"))

    folder, key = live.home / "models" / NAME, live.home / "keys" / "signing.pub"
    assert load_role(folder, "shadow", key, SlotApprovals(live.register)).version == "1"


def test_models_are_switched_off_by_one_and_on_again_by_two(live: LiveHome) -> None:
    user = Actor.from_command_line().identity
    live.run("switch", "off", "--by", "ada", "--because", "they harm somebody")
    switches = KillSwitchRepository(live.engine)
    switched = {(each.switched_by, each.switched_by_name) for each in switches.newest(9)}
    assert switched == {(user, "ada")}
    assert len(live.events("switch_off")) == 2

    approvals = live.both("switch-on", "all")
    record_switch(
        switches, "all", is_on=False, by="bo", because="once more off", at=datetime.now(UTC)
    )
    on = ("switch", "on", "--because", "they were repaired")
    with pytest.raises(ApprovalRefused, match="of another act"):
        live.run(*on, *approvals)
    approvals = live.both("switch-on", "all")
    live.run(*on, *approvals)

    assert all(each.is_on for each in switches.latest_by_kind().values())
    newest = switches.newest(1)[0]
    assert (newest.switched_by, newest.switched_by_name) == (user, "alpha and beta")
    with pytest.raises(ApprovalRefused):
        live.run(*on, *approvals)


def test_an_erasure_takes_two_persons_who_agreed_to_the_very_proposal(live: LiveHome) -> None:
    waiting = PERIODS.replace("wait_days = 0", "wait_days = 7")
    (live.home / "retention.toml").write_text(waiting)
    words = ("--by", "ada", "--because", "the time is over")
    first, second = (live.run("retention", "erase", *words).stdout.strip() for _ in range(2))
    erase = ("retention", "erase", second, "--because", "as proposed")

    with pytest.raises(ApprovalRefused, match="of another act"):
        live.run(*erase, *live.both("erase", first))
    with pytest.raises(ApprovalRefused, match="two different persons"):
        live.run(*erase, *live.both("erase", second, by=("alpha", "alpha")))
    acts = RetentionRepository(live.engine)
    assert acts.all("agree", "erase") == []
    live.run(*erase, *live.both("erase", second))

    (agreed,) = acts.all("agree")
    assert agreed.by == "beta"
    live.run(*erase)  # nobody is asked again: it waits for its day
    assert acts.all("erase") == []
    with pytest.raises(ApprovalRefused, match="two persons must agree to erase"):
        live.run("retention", "erase", first, "--because", "as proposed")


def test_a_hold_is_lifted_by_two_persons_who_agreed_to_that_hold(live: LiveHome) -> None:
    words = ("--by", "court", "--because", "a case")
    first, second = (
        live.run("retention", "hold", "shipment", each, *words).stdout.strip()
        for each in ("S-1", "S-2")
    )
    acts = RetentionRepository(live.engine)
    lift = ("retention", "hold", "--lift", second, "--because", "the court has ended")

    with pytest.raises(ApprovalRefused, match="is a name and no approval"):
        live.run(*lift, "--by", "grace")
    with pytest.raises(ApprovalRefused, match="of another act"):
        live.run(*lift, *live.both("lift", first))
    assert len(acts.holds()) == 2

    live.run(*lift, *live.both("lift", second))

    assert [str(each.number) for each in acts.holds()] == [first]


def test_entries_of_a_clock_that_was_ahead_are_overruled_by_two_persons_alone(
    live: LiveHome,
) -> None:
    (live.home / "retention.toml").write_text(PERIODS)
    now = datetime.now(UTC)
    ahead = AuditEvent(now + timedelta(days=30), SERVICE, "read", "case", "1")
    AuditRepository(live.engine).append(ahead)
    mask = ("retention", "mask", "--by", "timer", "--because", "daily")
    today = f"{now:%Y-%m-%d}"
    overrule = ("retention", "overrule", "--today", today, "--because", "its battery was empty")
    with pytest.raises(ClockDisagrees):
        live.run(*mask, "--today", today)
    (found,) = (each for each in run_checks(Settings(home=live.home)) if each.what == "clock")
    assert found.grade == "wrong"
    assert "tidegate retention overrule" in found.says

    with pytest.raises(ApprovalRefused, match="is a name and no approval"):
        live.run(*overrule, "--by", "grace")
    with pytest.raises(ApprovalRefused, match="two different persons"):
        live.run(*overrule, *live.both("overrule", today, by=("alpha", "alpha")))
    live.run("approvals", "propose", "overrule", today)
    live.run(*overrule, *live.both("overrule", today))

    (act,) = RetentionRepository(live.engine).all("overrule")
    assert (act.by, act.details) == ("beta", {"overruled": {"audit event": ahead.at.isoformat()}})
    live.run(*mask, "--today", today)


ACTS_OF_TWO = {
    "erase": ("retention", "erase", "1", "--because", "as proposed"),
    "lift": ("retention", "hold", "--lift", "1", "--because", "the court has ended"),
    "switch-on": ("switch", "on", "--subject", "route", "--because", "it is repaired now"),
}


@pytest.mark.parametrize("wait_days", [0, 7])
@pytest.mark.parametrize("kind", ACTS_OF_TWO)
def test_an_act_that_was_killed_after_its_approvals_were_used_is_done_by_the_same_two(
    live: LiveHome, monkeypatch: pytest.MonkeyPatch, kind: str, wait_days: int
) -> None:
    waiting = PERIODS.replace("wait_days = 0", f"wait_days = {wait_days}")
    (live.home / "retention.toml").write_text(waiting)
    if kind == "erase":
        live.run("retention", "erase", "--by", "ada", "--because", "the time is over")
    elif kind == "lift":
        live.run("retention", "hold", "shipment", "S-1", "--by", "court", "--because", "a case")
    live.run("switch", "off", "--by", "ada", "--because", "they harm somebody")
    approvals = live.both(kind, "route" if kind == "switch-on" else "1")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        for each in ("erase", "lift"):
            patched.setattr(f"serving.audit.retention.Retention.{each}", killed)
        patched.setattr("serving.models.kill_switch.record_switch", killed)
        assert run(*ACTS_OF_TWO[kind], *approvals, "--home", live.home).exit_code == 130
    assert len(live.events("use_approval")) == 2

    live.run(*ACTS_OF_TWO[kind], *(["--by", "timer"] if kind == "erase" else []))

    done = [each.by for each in RetentionRepository(live.engine).all("agree", "erase", "lift")]
    if kind == "switch-on":
        latest = KillSwitchRepository(live.engine).latest_by_kind()["route"]
        done = [latest.switched_by_name] if latest.is_on else []
    assert done == ["alpha and beta" if kind == "switch-on" else "beta"]
    assert len(live.events("use_approval")) == 2


def test_an_act_may_be_signed_on_another_machine(live: LiveHome, tmp_path: Path) -> None:
    live.run("switch", "off", "--by", "ada", "--because", "they harm somebody")
    file = tmp_path / "act.json"
    file.write_text(live.run("approvals", "propose", "--dry-run", "switch-on", "all").stdout)
    with passphrase() as descriptor:
        run(
            *("approvals", "sign", file, "--out", tmp_path / "elsewhere.json"),
            *("--key", live.keys / "beta.key", "--passphrase-fd", descriptor),
            *("--home", tmp_path / "another"),
        )
    proposed = live.signs("alpha", "proposer", "switch-on", "all")

    live.run(
        *("switch", "on", "--because", "they were repaired"),
        *("--approval", proposed, "--approval", tmp_path / "elsewhere.json"),
    )


def test_a_revoked_key_signs_for_nobody(live: LiveHome) -> None:
    approvals = live.both("promote", f"{NAME}/1")
    live.run("accounts", "change", "beta", "--end-approval-key")

    with pytest.raises(ApprovalRefused, match="was revoked"):
        live.run("promote", "--model", f"{NAME}/1", *approvals)
    keys = json.loads(live.run("accounts", "list", "--json").stdout)
    assert {key["name"]: key["approval_key"] is not None for key in keys} == {
        "alpha": True,
        "beta": False,
        "gamma": True,
    }


def test_an_approval_of_another_installation_is_of_no_use(live: LiveHome) -> None:
    one, other = live.both("switch-on", "all")[1::2]
    given = GivenApproval.parse(Path(other).read_bytes())
    act = given.act.model_copy(update={"installation": "sha256:elsewhere"})
    Path(other).write_text(given.model_copy(update={"act": act}).model_dump_json())

    with pytest.raises(ApprovalRefused, match="of another act"):
        live.run(
            *("switch", "on", "--because", "they were repaired"),
            *("--approval", one, "--approval", other),
        )


def test_in_a_trial_a_name_is_enough(home: Path) -> None:
    KillSwitchRepository(open_database(home / "tidegate.db", is_service=False))
    run("switch", "on", "--by", "ada", "--because", "it is a trial only", "--home", home)
    for words in (("switch", "on", "--because", "nobody says so"), ("promote", "--model", "x/1")):
        assert run(*words, "--home", home).exit_code == 2


def test_an_erasure_agreed_to_in_the_console_is_cancelled_while_it_waits_and_another_is_done(
    live: LiveHome,
) -> None:
    """And nothing of it keeps the log from being proven, or the home from being well."""
    periods = live.home / "retention.toml"
    periods.write_text(PERIODS.replace("wait_days = 0", "wait_days = 7"))
    words = ("--by", "ada", "--because", "the time is over")
    first = live.run("retention", "erase", *words).stdout.strip()
    erase = ("retention", "erase", "--because", "as proposed")
    in_console(live, "erase", first)
    with hold_for_service(live.home / "tidegate.db"), pytest.raises(TidegateError):
        live.run(*erase, first)
    waits = live.run(*erase, first)
    assert "nothing is erased yet" in waits.output
    (agreed,) = RetentionRepository(live.engine).all("agree")
    assert agreed.by == "beta"

    live.run(
        "retention", "erase", "--cancel", first, "--by", "gamma", "--because", "it is evidence"
    )

    with pytest.raises(RetentionRefused, match="cancel"):
        live.run(*erase, first)
    with pytest.raises(RetentionRefused):
        live.run("retention", "erase", "--cancel", first, "--by", "gamma", "--because", "once more")
    periods.write_text(PERIODS)
    second = live.run("retention", "erase", *words).stdout.strip()
    in_console(live, "erase", second)
    done = live.run(*erase, second)
    assert (live.home / "erasures" / f"{second}.json").exists(), done.output
    assert live.run("verify-log").exit_code == 0
    with pytest.raises(RetentionRefused):
        live.run("retention", "erase", "--cancel", second, "--by", "gamma", "--because", "too late")
    assert [each.action for each in RetentionRepository(live.engine).all()] == [
        *("propose", "agree", "cancel", "propose", "erase"),
    ]
    assert live.register.newest_pending(9) == []


def in_console(live: LiveHome, *act: str) -> None:
    """Lay an act before people, two of whom agree to it in the console."""
    live.run("approvals", "propose", *act)
    pending = live.register.newest_pending(1)[0]
    for name in ("alpha", "beta"):
        by = Actor(f"account:{name}", name, name)
        live.register.answer(pending.act.act_id, name, by, datetime.now(UTC), is_agreed=True)
