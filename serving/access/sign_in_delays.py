"""Delays between sign-in attempts, by account and address, growing with each failure.

Nobody is locked out. An address waits only for failures of its own, and a browser known to the
account waits only for its own failures. An account that signed in from an address before does not
wait for others' failures there, and shared delays are short, so that people who share an office or
proxy with an attacker can work. Sources: OWASP Authentication Cheat Sheet; OWASP, "Slow Down Online
Guessing Attacks with Device Cookies".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal

CountedBy = Literal["pair", "address", "site", "organisation", "account", "browser", "codes"]

# Failures after which the next attempt waits one second, then two, then four.
FREE: Mapping[CountedBy, int] = {
    # One account from one address.
    "pair": 5,
    # Any accounts from one address.
    "address": 20,
    # Any accounts from a /56 of IPv6, the network of a home or site.
    "site": 40,
    # Any accounts from a /48 of IPv6, the network of an organisation.
    "organisation": 100,
    # One account from anywhere.
    "account": 10,
    # One account from a browser that it signed in with before.
    "browser": 5,
    # Second factors of one account: an attacker here already knows its password.
    "codes": 5,
}

MAX_WAIT_S = 900.0
# Limit of the delay for others' failures at the same address, which may be a whole office's.
MAX_SHARED_WAIT_S = 20.0

SHARED: tuple[CountedBy, ...] = ("address", "site", "organisation")
FORGIVEN_EVERY = timedelta(minutes=15)
MAX_COUNTED: Mapping[CountedBy, int] = {"site": 60, "organisation": 120}
MAX_COUNTED_ELSE = 40
# Failures of other accounts, or from elsewhere, which one sign-in does not clear.
NOT_FORGIVEN: tuple[CountedBy, ...] = (*SHARED, "account")

FORGOTTEN_AFTER = timedelta(hours=24)
KNOWN_FOR = timedelta(days=90)
# Browsers, and as many addresses, of one account; the newest stay.
MAX_KNOWN_BROWSERS = 32


@dataclass(frozen=True)
class SignInAttempt:
    """Claimed account and origin of an attempt.

    `known_browser` is the hash of a browser's cookie, empty unless this account signed in with it
    before. `is_code` marks a second factor.
    """

    name: str
    address: str
    known_browser: str = ""
    is_code: bool = False

    @property
    def counted_by(self) -> tuple[CountedBy, ...]:
        """Counters that a failure of this attempt increases."""
        if self.known_browser:
            return ("browser",)
        wide: tuple[CountedBy, ...] = ("site", "organisation") if ":" in self.address else ()
        return ("pair", "address", *wide, "account", *(("codes",) if self.is_code else ()))

    @property
    def site(self) -> str:
        """The /56 network of an IPv6 address."""
        return _wider(self.address, 56)

    @property
    def organisation(self) -> str:
        """The /48 network of an IPv6 address."""
        return _wider(self.address, 48)


@dataclass(frozen=True)
class FailureCount:
    """Number of recent failures, with the instant of the last."""

    failures: int
    last_at: datetime

    def at(self, now: datetime) -> int:
        """Return the failures that still count: one is forgiven every quarter of an hour."""
        return max(0, self.failures - max(0, (now - self.last_at) // FORGIVEN_EVERY))

    def after_another(self, now: datetime, most: int = MAX_COUNTED_ELSE) -> "FailureCount":
        """Return the count after one more failure."""
        return FailureCount(min(most, self.at(now) + 1), now)

    def wait_s(self, free: int, now: datetime, max_s: float = MAX_WAIT_S) -> float:
        """Return the seconds until the next attempt is allowed; 0 if it is now."""
        if self.failures < free:
            return 0.0
        wait_s = min(max_s, 2.0 ** (self.failures - free))
        return max(0.0, wait_s - max(0.0, (now - self.last_at).total_seconds()))


def wait_s(
    counts: Mapping[CountedBy, FailureCount], now: datetime, *, is_known_address: bool = False
) -> float:
    """Return the seconds that an attempt must wait, by all counters that apply.

    Failures of others do not count at an address that the account used before.
    """
    waits = [
        count.wait_s(FREE[by], now, MAX_SHARED_WAIT_S if by in SHARED else MAX_WAIT_S)
        for by, count in counts.items()
        if by != "account" and not (is_known_address and by in SHARED)
    ]
    own = counts.get("pair")
    account = counts.get("account")
    # Failures elsewhere lengthen the delay only for those who failed here, so that nobody can lock
    # a holder out from afar.
    if own and account and own.at(now):
        waits.append(FailureCount(account.failures, own.last_at).wait_s(FREE["account"], now))
    return max(waits, default=0.0)


def network_of(address: str) -> str:
    """Return the network that counts as one address: for IPv6 the /64 of a subscriber."""
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
    """Return the wider IPv6 network of this many bits; anything else unchanged."""
    try:
        address = int(IPv6Address(network.partition("/")[0]))
    except ValueError:
        return network
    return f"{IPv6Address(address >> (128 - bits) << (128 - bits))}/{bits}"
