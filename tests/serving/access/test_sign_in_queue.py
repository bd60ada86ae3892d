"""The order of sign-ins under floods, on a simulated clock: five attempts are served a second."""

import random
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from serving.access.sign_in_queue import FairQueue, networks_of
from serving.access.sign_in_threads import MAX_WAITING

SERVED_IN_S = 0.2
MAX_S = 30


def waited_s(flood: Iterator[str], clients: int, honest: str, arrives_at: float = 20.0) -> float:
    """Return how long `honest` waits while each of `clients` sends again as soon as answered."""
    queue: FairQueue[int] = FairQueue(MAX_WAITING)
    numbers, now = count(), 0.0
    for _ in range(clients):
        queue.put(next(numbers), networks_of(next(flood)))
    mine = None
    while now < arrives_at + 300:
        if mine is None and now >= arrives_at:
            mine = next(numbers)
            assert queue.put(mine, networks_of(honest)) != mine, "it was refused a place"
        if queue.take() == mine and mine is not None:
            return now - arrives_at
        now += SERVED_IN_S
        for _ in range(min(clients - len(queue) + 1, 4)):  # who was served or refused comes again
            refused = queue.put(next(numbers), networks_of(next(flood)))
            assert refused is None or refused != mine, "it lost its place"
    raise AssertionError("it never had its turn")


def ipv4(network: str) -> Iterator[str]:
    drawn = random.Random(1)
    while True:
        known = network.split(".")
        yield ".".join([*known, *(str(drawn.randrange(256)) for _ in range(4 - len(known)))])


def ipv6(network: str) -> Iterator[str]:
    drawn = random.Random(2)
    while True:
        yield f"{network}:{drawn.randrange(65536):x}:{drawn.randrange(65536):x}::1"


@pytest.mark.parametrize(
    ("flood", "clients"),
    [
        (lambda: ipv4("127"), 80),
        (lambda: ipv4("127.0.0"), 1_000),
        (lambda: ipv4("127.0"), 1_000),
        (lambda: ipv4("127.0.0.1"), 1_000),
        (lambda: ipv6("2001:db8"), 1_000),
        (lambda: ipv6("2001:db8:7"), 1_000),
    ],
)
@pytest.mark.parametrize("honest", ["127.200.3.4", "198.51.100.7", "2001:db9::7"])
def test_a_new_address_is_served_within_half_a_minute_of_a_flood(
    flood: Callable[[], Iterator[str]], clients: int, honest: str
) -> None:
    for arrives_at in (3.0, 21.4):
        assert waited_s(flood(), clients, honest, arrives_at) <= MAX_S


@pytest.mark.parametrize("honest", ["127.0.0.200", "127.0.9.1"])
def test_an_address_within_a_network_that_floods_is_served_too(honest: str) -> None:
    assert waited_s(ipv4("127.0.0"), 80, honest) <= MAX_S
    assert waited_s(ipv4("127.0"), 80, honest) <= MAX_S


def test_nobody_waits_longer_than_two_turns_for_each_place_whatever_others_do() -> None:
    """Fresh networks come before each turn: by turns of networks alone one would wait for ever."""
    queue: FairQueue[str] = FairQueue(16)
    for number in range(8):
        queue.put(f"same {number}", networks_of(f"192.0.2.{number}"))
    fresh, served = ipv4("10"), []
    for turn in range(32):
        queue.put(f"fresh {turn}", networks_of(next(fresh)))
        served.append(queue.take())

    assert {f"same {number}" for number in range(8)} <= set(served)


def test_a_full_queue_refuses_the_newest_of_the_network_that_has_the_most() -> None:
    queue: FairQueue[str] = FairQueue(4)
    for name, address in (
        ("a1", "192.0.2.1"),
        ("a2", "192.0.2.1"),
        ("b1", "192.0.3.1"),
        ("a3", "192.0.2.1"),
    ):
        assert queue.put(name, networks_of(address)) is None

    assert queue.put("c1", networks_of("198.51.100.1")) == "a3"
    assert queue.put("c2", networks_of("198.51.100.1")) == "a2"
    assert queue.put("a4", networks_of("192.0.2.1")) in ("a4", "c2")
    assert len(queue) == 4


def test_what_leaves_the_queue_is_forgotten() -> None:
    queue: FairQueue[int] = FairQueue(8)
    for number in range(1_000):
        queue.put(number, networks_of(f"192.0.{number % 256}.1"))
    for number in range(1_000):
        queue.remove(number)

    assert queue.take() is None
    assert not queue._sizes
    assert not queue._last_turns


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.7", ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.7/32")),
        ("::ffff:192.0.2.7", ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.7/32")),
        ("2001:db8:1:2::5", ("2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64")),
        ("fe80::1%eth0", ("fe80::/32", "fe80::/48", "fe80::/64")),
        ("testclient", ("testclient",)),
        ("", ("",)),
    ],
)
def test_an_address_shares_turns_with_its_networks(address: str, networks: tuple[str, ...]) -> None:
    assert networks_of(address) == networks
