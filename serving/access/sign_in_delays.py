"""How long a next attempt to sign in must wait: by account and by address, longer each time.

Nobody is locked out. What failed elsewhere never makes an address wait that has not failed itself,
and a browser that an account signed in with before waits for its own failures alone. An account
that signed in from an address before does not wait for what others fail there, and nobody waits
long for it: people who share an office or a proxy with somebody who guesses go on working.
Sources: OWASP Authentication Cheat Sheet; OWASP, "Slow Down Online Guessing Attacks with Device
Cookies".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal

CountedBy = Literal["pair", "address", "site", "organisation", "account", "browser", "codes"]

# Failures after which the next attempt waits a second, the one after that two, then four.
FREE: Mapping[CountedBy, int] = {
    "pair": 5,  # of one account from one address
    "address": 20,  # of any accounts from one address
    "site": 40,  # of any accounts from the /56 of IPv6 that a home or a site is given
    "organisation": 100,  # of any accounts from the /48 that an organisation is given
    "account": 10,  # of one account from anywhere
    "browser": 5,  # of one account from a browser that it signed in with
    "codes": 5,  # second factors of one account: only whoever knows its password comes so far
}

LONGEST_WAIT_S = 900.0
# For what others failed behind the same address, which may be that of a whole office.
LONGEST_SHARED_WAIT_S = 20.0

SHARED: tuple[CountedBy, ...] = ("address", "site", "organisation")
FORGIVEN_EVERY = timedelta(minutes=15)
MOST_COUNTED: Mapping[CountedBy, int] = {"site": 60, "organisation": 120}
MOST_COUNTED_ELSE = 40
# What failed of other accounts, or from elsewhere, is not forgiven by one sign-in.
NOT_FORGIVEN: tuple[CountedBy, ...] = (*SHARED, "account")

FORGOTTEN_AFTER = timedelta(hours=24)
KNOWN_FOR = timedelta(days=90)
MAX_KNOWN_BROWSERS = 32  # of one account, and as many addresses; the newest stay


@dataclass(frozen=True)
class SignInAttempt:
    """Who is said to sign in, and from where; `known_browser` is the hash of a browser's cookie.

    It is empty unless this account signed in with that browser before. A `code` is a second factor.
    """

    name: str
    address: str
    known_browser: str = ""
    is_code: bool = False

    @property
    def counted_by(self) -> tuple[CountedBy, ...]:
        """Under what a failure of it counts."""
        if self.known_browser:
            return ("browser",)
        wide: tuple[CountedBy, ...] = ("site", "organisation") if ":" in self.address else ()
        return ("pair", "address", *wide, "account", *(("codes",) if self.is_code else ()))

    @property
    def site(self) -> str:
        """The /56 of an address of IPv6."""
        return _wider(self.address, 56)

    @property
    def organisation(self) -> str:
        """The /48 of an address of IPv6."""
        return _wider(self.address, 48)


@dataclass(frozen=True)
class FailureCount:
    """The number of recent failures, and the instant of the last."""

    failures: int
    last_at: datetime

    def at(self, now: datetime) -> int:
        """Return the failures that still count: one is forgiven every quarter of an hour."""
        return max(0, self.failures - max(0, (now - self.last_at) // FORGIVEN_EVERY))

    def after_another(self, now: datetime, most: int = MOST_COUNTED_ELSE) -> "FailureCount":
        """The count with one more."""
        return FailureCount(min(most, self.at(now) + 1), now)

    def wait_s(self, free: int, now: datetime, longest_s: float = LONGEST_WAIT_S) -> float:
        """Seconds until the next attempt is welcome; 0 where it is now."""
        if self.failures < free:
            return 0.0
        wait_s = min(longest_s, 2.0 ** (self.failures - free))
        return max(0.0, wait_s - max(0.0, (now - self.last_at).total_seconds()))


def wait_s(
    counts: Mapping[CountedBy, FailureCount], now: datetime, *, is_known_address: bool = False
) -> float:
    """Return the seconds that an attempt must wait, by all the counts that concern it.

    At an address that the account signed in from before, what others failed does not count.
    """
    waits = [
        count.wait_s(FREE[by], now, LONGEST_SHARED_WAIT_S if by in SHARED else LONGEST_WAIT_S)
        for by, count in counts.items()
        if by != "account" and not (is_known_address and by in SHARED)
    ]
    own = counts.get("pair")
    account = counts.get("account")
    if own and account and own.at(now):  # what fails elsewhere only lengthens what failed here
        waits.append(FailureCount(account.failures, own.last_at).wait_s(FREE["account"], now))
    return max(waits, default=0.0)


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the 64 bits that a subscriber has at least."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)


def _wider(network: str, bits: int) -> str:
    """The network of this many bits that a network of IPv6 is in; itself where it is no address."""
    try:
        address = int(IPv6Address(network.partition("/")[0]))
    except ValueError:
        return network
    return f"{IPv6Address(address >> (128 - bits) << (128 - bits))}/{bits}"
