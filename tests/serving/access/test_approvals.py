"""Two persons, one exact act: whoever is not two, and whatever is not that act, is refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from serving.access.accounts import Account
from serving.access.approval_keys import sign_approval
from serving.access.approvals import (
    APPROVING_ROLES,
    CLOCKS_APART,
    LASTING,
    MAX_APPROVAL_LIFE,
    ActKind,
    GivenApproval,
    Part,
    ProposedAct,
    RegisteredKey,
    TwoPersons,
    agreed,
    public_key_id,
    require_others,
    two_persons,
)
from serving.access.errors import ApprovalRefused

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ACT = ProposedAct(
    kind="promote",
    object_id="tidegate-shipment",
    version="3",
    digest="sha256:3",
    before="sha256:2",
    installation="sha256:here",
)
OTHERS: dict[str, dict[str, Any]] = {
    "another kind": {"kind": "shadow"},
    "a rollback": {"kind": "roll_back"},
    "a waiver": {"kind": "waive", "gates": ("groups",), "until": "2026-12-31"},
    "another model": {"object_id": "tidegate-route"},
    "another version": {"version": "4"},
    "another digest": {"digest": "sha256:4"},
    "another champion before": {"before": "sha256:1"},
    "another installation": {"installation": "sha256:there"},
    "another reason": {"because": "it is better"},
    "a gate more": {"gates": ("groups",)},
}
VARIANTS = (
    "alpha",
    "ALPHA",
    " alpha",
    "alpha.",
    "alpha\u200b",
    "\u0430lpha",
    "\uff41lpha",
    "Alpha ",
    "alpha +2",  # as somebody is told apart who signs in with an organisation
    "A1PHA",
)


@dataclass
class Register:
    """Keys, console approvals and uses, as the database would know them."""

    keys: dict[str, RegisteredKey] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def key(self, key_id: str) -> RegisteredKey | None:
        return self.keys.get(key_id)

    def is_given(self, approval: GivenApproval) -> bool:
        return approval.approval_id in self.given

    def is_used(self, approval_id: str) -> bool:
        return approval_id in self.used

    def seated(self, name: str, role: str) -> str | None:
        return None


@dataclass
class People:
    """Accounts, and the keys that their holders have."""

    register: Register = field(default_factory=Register)
    accounts: dict[str, Account] = field(default_factory=dict)
    private: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    reset: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, name: str) -> Account | None:
        return self.accounts.get(name)

    def one_person_with(self, name: str, now: datetime) -> frozenset[str]:
        return frozenset(f"account:{other}" for other in self.reset.get(name, ()))

    def join(self, name: str, **changes: Any) -> None:
        account = Account(name, "-", "supervisor", (), NOW - timedelta(days=9))
        self.accounts[name] = replace(account, **changes)
        key = self.private[name] = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        key_id, since = public_key_id(public), NOW - timedelta(days=1)
        self.register.keys[key_id] = RegisteredKey(key_id, name, public.hex(), since, "cli:0@h")

    def signs(self, name: str, part: Part, act: ProposedAct = ACT, **said: Any) -> GivenApproval:
        given = GivenApproval.of(act, part, NOW - timedelta(hours=1)).model_copy(update=said)
        return sign_approval(given, self.private[name])

    def clicks(self, name: str, part: Part, act: ProposedAct = ACT) -> GivenApproval:
        given = GivenApproval.of(act, part, NOW - timedelta(hours=1), account=name)
        self.register.given.add(given.approval_id)
        return given

    def asked(
        self, *approvals: GivenApproval, act: ProposedAct = ACT, now: datetime = NOW
    ) -> TwoPersons:
        return two_persons(act, approvals, self.register, self, now)


@pytest.fixture
def people() -> People:
    people = People()
    for name in ("alpha", "beta", "gamma"):
        people.join(name)
    return people


def ways(people: People, name: str, part: Part, act: ProposedAct) -> Iterator[GivenApproval]:
    """By key, and in the console."""
    yield people.signs(name, part, act)
    yield people.clicks(name, part, act)


@pytest.mark.parametrize("kind", ["promote", "roll_back", "shadow", "waive", "erase", "switch_on"])
def test_two_persons_agree_to_an_act_by_key_or_in_the_console(
    people: People, kind: ActKind
) -> None:
    act = ACT.model_copy(update={"kind": kind})
    pairs = product(ways(people, "alpha", "proposer", act), ways(people, "beta", "approver", act))
    for one, other in pairs:
        found = people.asked(one, other, act=act)
        assert found.names == ("alpha", "beta")
        assert people.asked(other, one, act=act) == found


@pytest.mark.parametrize("kind", ["promote", "roll_back", "shadow", "waive", "erase", "switch_on"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_no_act_takes_one_person_for_two_however_the_name_is_written(
    people: People, kind: ActKind, variant: str
) -> None:
    """Even with a second account and a second key of their own."""
    act = ACT.model_copy(update={"kind": kind})
    people.join(variant)
    pairs = [
        *product(ways(people, "alpha", "proposer", act), ways(people, variant, "approver", act)),
        *product(ways(people, variant, "proposer", act), ways(people, "alpha", "approver", act)),
    ]
    for one, other in pairs:
        with pytest.raises(ApprovalRefused, match="two different persons"):
            people.asked(one, other, act=act)


def test_nobody_approves_what_was_proposed_by_somebody_whose_password_they_reset(
    people: People,
) -> None:
    people.reset["alpha"] = ("beta",)

    with pytest.raises(ApprovalRefused, match="count as one person for now"):
        people.asked(people.signs("alpha", "proposer"), people.signs("beta", "approver"))
    people.asked(people.signs("alpha", "proposer"), people.signs("gamma", "approver"))


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_an_approval_of_another_act_is_of_no_use(people: People, change: dict[str, Any]) -> None:
    other = ACT.model_copy(update=change)
    for stolen, mine in ((other, ACT), (ACT, other)):
        with pytest.raises(ApprovalRefused, match="of another act"):
            people.asked(
                people.signs("alpha", "proposer", mine), people.signs("beta", "approver", stolen)
            )
        with pytest.raises(ApprovalRefused, match="of another act"):
            people.asked(
                people.clicks("alpha", "proposer", stolen), people.clicks("beta", "approver", mine)
            )


@given(data=st.data())
def test_no_word_of_a_signed_approval_can_be_changed(data: st.DataObject) -> None:
    people = People()
    people.join("alpha")
    people.join("beta")
    one, other = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    changes: dict[str, Any] = {
        "part": "proposer",
        "nonce": "0" * 32,
        "given_at": NOW,
        "expires_at": NOW + timedelta(days=20),
        "signature": one.signature,
        "key_id": one.key_id,
        "account": "alpha",
    }
    name = data.draw(st.sampled_from(sorted(changes)))

    with pytest.raises(ApprovalRefused):
        people.asked(one, other.model_copy(update={name: changes[name]}))
    assert people.asked(one, other).names == ("alpha", "beta")


def test_an_approval_is_used_once(people: People) -> None:
    one, other = people.signs("alpha", "proposer"), people.clicks("beta", "approver")
    people.asked(one, other)
    for used in (one, other):
        people.register.used = {used.approval_id}
        with pytest.raises(ApprovalRefused, match="used already"):
            people.asked(one, other)


def test_one_of_each_part_is_wanted_and_no_more(people: People) -> None:
    one, other = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    for approvals in (
        (),
        (one,),
        (other,),
        (one, one),
        (one, people.signs("beta", "proposer")),
        (one, other, people.signs("gamma", "approver")),
    ):
        with pytest.raises(ApprovalRefused, match="want two approvals"):
            people.asked(*approvals)


def test_an_approval_ends_and_none_comes_from_the_future(people: People) -> None:
    one, other = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    last = other.expires_at
    assert last - other.given_at == LASTING
    people.asked(one, other, now=last - timedelta(seconds=1))
    with pytest.raises(ApprovalRefused, match="ended"):
        people.asked(one, other, now=last)
    ahead = people.signs("beta", "approver", given_at=NOW + CLOCKS_APART + timedelta(seconds=1))
    with pytest.raises(ApprovalRefused, match="in the future"):
        people.asked(one, ahead)
    long = people.signs("beta", "approver", expires_at=NOW + MAX_APPROVAL_LIFE)
    with pytest.raises(ApprovalRefused, match="longer than 30 days"):
        people.asked(one, long)


def test_a_key_counts_from_its_registration_until_it_is_revoked(people: People) -> None:
    one, other = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    key = people.register.keys[other.key_id]
    for changed, words in (
        ({"registered_at": NOW + timedelta(hours=1)}, "did not count when this was signed"),
        ({"revoked_at": NOW - timedelta(hours=2)}, "did not count when this was signed"),
        ({"revoked_at": NOW - timedelta(minutes=2)}, "was revoked"),
    ):
        people.register.keys[other.key_id] = replace(key, **changed)  # type: ignore[arg-type]  # one of its fields
        with pytest.raises(ApprovalRefused, match=words):
            people.asked(one, other)
    del people.register.keys[other.key_id]
    with pytest.raises(ApprovalRefused, match="registered to nobody"):
        people.asked(one, other)


def test_only_accounts_in_use_whose_role_approves_count(people: People) -> None:
    one, other = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    beta = people.accounts["beta"]
    for role in ("reviewer", "auditor", "rescue"):
        people.accounts["beta"] = replace(beta, role=role)  # type: ignore[arg-type]  # a role
        with pytest.raises(ApprovalRefused, match=f"beta is a {role}"):
            people.asked(one, other)
    for role in APPROVING_ROLES:
        people.accounts["beta"] = replace(beta, role=role)
        people.asked(one, other)
    people.accounts["beta"] = replace(beta, disabled_at=NOW)
    with pytest.raises(ApprovalRefused, match="no account in use"):
        people.asked(one, other)


def test_what_nobody_gave_in_the_console_is_no_approval(people: People) -> None:
    forged = GivenApproval.of(ACT, "approver", NOW, account="beta")
    with pytest.raises(ApprovalRefused, match="not given in the console"):
        people.asked(people.signs("alpha", "proposer"), forged)


def test_whoever_approves_waives_none_of_its_gates(people: People) -> None:
    act = TwoPersons(ACT, "alpha", "beta", ())
    for proposer, approver in (("beta", "gamma"), ("gamma", "beta"), ("Beta.", "gamma")):
        with pytest.raises(ApprovalRefused, match="approves it and waives"):
            require_others(TwoPersons(ACT, proposer, approver, ()), act)
    require_others(TwoPersons(ACT, "alpha", "gamma", ()), act)


def test_an_act_that_was_done_stays_agreed_to(people: People) -> None:
    """Once the approvals have ended, a key was revoked and an account is gone."""
    both = people.signs("alpha", "proposer"), people.signs("beta", "approver")
    with pytest.raises(ApprovalRefused, match="nothing on record"):
        agreed(ACT, both, people.register)
    people.register.used = {each.approval_id for each in both}
    for key_id, key in people.register.keys.items():
        people.register.keys[key_id] = replace(key, revoked_at=NOW)

    assert agreed(ACT, both, people.register).names == ("alpha", "beta")
    with pytest.raises(ApprovalRefused, match="another act"):
        agreed(ACT.model_copy(update={"version": "4"}), both, people.register)


def test_what_is_no_approval_is_refused() -> None:
    for content in ("", "{}", "[]", '{"act": 1}'):
        with pytest.raises(ApprovalRefused, match="this is not an approval"):
            GivenApproval.parse(content)
