"""Teams: reviewers of one office, with an inbox that receives cases.

Every office has an inbox of its own for cases that none of its teams has. A team decides who is
offered a case first, never who may see it; offices and roles decide that.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from features.records import Mode
from serving.access.accounts import Account
from serving.access.actors import Actor
from serving.access.office_ids import nearest_name, require_known_office, require_offices
from serving.access.revisions import revision_of
from serving.errors import RequestFault, Unprocessable
from serving.language import say
from serving.review.cases.case_records import CaseAccess, InboxFilter

MAX_MEMBERS = 200
MODES: tuple[Mode, ...] = get_args(Mode)
_CHAPTER = re.compile(r"[0-9]{2}")


@dataclass(frozen=True)
class Arrivals:
    """The cases of a team's office that its inbox receives; empty means any.

    `chapters` are the first two digits of goods codes. Routes have no goods, so no chapter.
    """

    modes: tuple[Mode, ...] = ()
    chapters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for mode in self.modes:
            if mode not in MODES:
                raise Unprocessable(
                    say("`{mode}` is not a mode: want {modes}", mode=mode, modes=", ".join(MODES))
                )
        for chapter in self.chapters:
            if not _CHAPTER.fullmatch(chapter):
                raise Unprocessable(
                    say(
                        "`{chapter}` is not a chapter: want two digits, such as 24",
                        chapter=chapter[:20],
                    )
                )

    def takes(self, mode: str | None, chapter: str | None) -> bool:
        """Return whether the inbox receives a case with this mode and chapter."""
        is_mode = not self.modes or mode in self.modes
        return is_mode and (not self.chapters or chapter in self.chapters)

    @property
    def narrowness(self) -> int:
        """Return how specific the rule is; goods count more than the mode."""
        return bool(self.modes) + 2 * bool(self.chapters)


@dataclass(frozen=True)
class Team:
    """A team: its office (None for all offices) and the account names of its members.

    Without `arrivals` the inbox holds only cases that somebody puts there.
    """

    name: str
    office_id: str | None
    members: tuple[str, ...] = ()
    arrivals: Arrivals | None = None

    @property
    def revision(self) -> str:
        """A digest of its content, which changes with any change to it."""
        return revision_of(self.office_id, sorted(self.members), self.arrivals)

    def is_of(self, office_id: str | None) -> bool:
        """Return whether its inbox may hold cases of an office."""
        return self.office_id in (None, office_id)


@dataclass(frozen=True)
class StatedTeam:
    """A team as stated in a form or by options, before validation.

    Without modes and chapters its inbox receives every case of its office, or none.
    """

    name: str
    office_id: str | None
    members: Sequence[str]
    takes_cases: bool
    modes: Sequence[str]
    chapters: Sequence[str]

    def team(self, accounts: Iterable[Account], known_offices: Collection[str]) -> Team:
        """Return the team; raises Unprocessable for an invalid office, member or rule."""
        if self.office_id is not None:
            require_offices([self.office_id])
            require_known_office(self.office_id, known_offices, "office_id")
        members = tuple(dict.fromkeys(self.members))
        require_members(members, accounts, self.office_id)
        modes = tuple(dict.fromkeys(self.modes))
        arrivals = Arrivals(modes, tuple(dict.fromkeys(self.chapters)))  # type: ignore[arg-type]  # refused if it is no mode
        # A rule implies that the inbox receives cases.
        takes_cases = self.takes_cases or arrivals != Arrivals()
        return Team(self.name, self.office_id, members, arrivals if takes_cases else None)


@dataclass(frozen=True)
class Inboxes:
    """All inboxes: one for each team, and one for each office."""

    teams: Sequence[Team]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the teams."""
        return tuple(team.name for team in self.teams)

    def of_reader(self, reader: Actor, access: CaseAccess) -> InboxFilter:
        """Return the inboxes of a reader: those of their teams and of their offices."""
        own = (team.name for team in self.teams if reader.name in team.members)
        # Members are names of accounts; an API key of the same name is no member.
        is_member = reader.kind == "account"
        return InboxFilter(
            tuple(own) if is_member else (), tuple(sorted(access.offices)), self.names
        )

    def named(self, name: str) -> InboxFilter:
        """Return the filter for the inbox of a team, or else of an office."""
        if any(team.name == name for team in self.teams):
            return InboxFilter((name,), (), self.names)
        return InboxFilter((), (name,), self.names)

    def require(self, name: str, known_offices: Callable[[], Collection[str]]) -> None:
        """Raise Unprocessable for a name that is neither a team's nor a known office's."""
        teams = self.names
        # Without a list of offices any name may be one.
        if name in teams or not (offices := known_offices()) or name in offices:
            return
        near = nearest_name(name, {*teams, *offices})
        says = say("no team and no office has this name")
        if near is not None:
            says = say("no team and no office has this name; the nearest one is {name}", name=near)
        raise Unprocessable(
            says, (RequestFault("/inbox", "unknown_inbox", says),), code="inbox-unknown"
        )

    def for_office(self, office_id: str | None) -> list[str]:
        """Return the inboxes that can hold a case of an office, with the office's own last."""
        own = [office_id] if office_id is not None else []
        return [*(team.name for team in self.teams if team.is_of(office_id)), *own]


def receiving_team(
    teams: Iterable[Team], office_id: str | None, mode: str | None, chapter: str | None
) -> str | None:
    """Return the team whose inbox receives a new case; None for the inbox of its office.

    Among several, the most specific rule wins, then a team of one office, then the name.
    """
    taking = [
        (-team.arrivals.narrowness, team.office_id is None, team.name)
        for team in teams
        if team.arrivals and team.is_of(office_id) and team.arrivals.takes(mode, chapter)
    ]
    return min(taking)[-1] if taking else None


def require_members(
    names: Iterable[str], accounts: Iterable[Account], office_id: str | None
) -> None:
    """Raise Unprocessable for an account that cannot review cases of a team's office."""
    known = {account.name: account for account in accounts if account.disabled_at is None}
    members = tuple(names)
    if len(members) > MAX_MEMBERS:
        raise Unprocessable(
            say("a team has at most {max_members} members", max_members=MAX_MEMBERS)
        )
    for name in members:
        account = known.get(name)
        if account is None or not account.caller().may("review"):
            raise Unprocessable(
                say("`{name}` is not an active account that reviews cases", name=name)
            )
        # An account without offices sees all of them.
        if office_id is not None and account.offices and office_id not in account.offices:
            raise Unprocessable(
                say(
                    "`{name}` does not see cases of the office {office_id}",
                    name=name,
                    office_id=office_id,
                )
            )
