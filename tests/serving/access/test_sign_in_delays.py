"""Delays of attempts to sign in: longer each time, never an end, and never for others' failures."""

from datetime import timedelta

import pytest

from serving.access.sign_in_delays import (
    FREE,
    MAX_COUNTED,
    MAX_COUNTED_ELSE,
    MAX_SHARED_WAIT_S,
    MAX_WAIT_S,
    SHARED,
    CountedBy,
    FailureCount,
    network_of,
    wait_s,
)
from tests.serving.access.trusted import NOW


def failed(times: int, at: float = 0, by: CountedBy = "pair") -> FailureCount:
    count, most = FailureCount(0, NOW), MAX_COUNTED.get(by, MAX_COUNTED_ELSE)
    for _ in range(times):
        count = count.after_another(NOW + timedelta(seconds=at), most)
    return count


def test_the_wait_doubles_with_each_failure_and_has_a_longest() -> None:
    waits = [failed(n).wait_s(5, NOW) for n in range(40)]

    assert waits[:9] == [0, 0, 0, 0, 0, 1, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == MAX_WAIT_S == 900


def test_whoever_waited_is_welcome_however_often_it_failed() -> None:
    for times in range(60):
        count = failed(times)
        assert count.wait_s(5, NOW + timedelta(seconds=MAX_WAIT_S)) == 0


def test_failures_are_forgiven_one_every_quarter_of_an_hour() -> None:
    count = failed(8)

    assert count.at(NOW + timedelta(minutes=14)) == 8
    assert count.at(NOW + timedelta(minutes=15)) == 7
    assert count.at(NOW + timedelta(hours=3)) == 0
    assert count.after_another(NOW + timedelta(minutes=30)).failures == 7


def test_a_clock_that_was_put_back_makes_nobody_wait_longer() -> None:
    assert failed(8, at=86_400).wait_s(5, NOW) == 8
    assert failed(8, at=86_400).at(NOW) == 8


def test_what_failed_elsewhere_never_makes_a_fresh_address_wait() -> None:
    counts: dict[CountedBy, FailureCount] = {"account": failed(40)}
    assert wait_s(counts, NOW) == 0

    counts["pair"] = failed(1)
    assert wait_s(counts, NOW) == MAX_WAIT_S
    later = NOW + timedelta(seconds=MAX_WAIT_S)
    counts["account"] = FailureCount(40, later)  # goes on elsewhere, meanwhile
    assert wait_s(counts, later) == 0


@pytest.mark.parametrize("by", [by for by in FREE if by != "account"])
def test_each_count_delays_by_itself(by: CountedBy) -> None:
    assert wait_s({by: failed(FREE[by] - 1, by=by)}, NOW) == 0
    assert wait_s({by: failed(FREE[by], by=by)}, NOW) == 1
    max_s = MAX_SHARED_WAIT_S if by in SHARED else MAX_WAIT_S
    assert wait_s({by: failed(200, by=by)}, NOW) == max_s
    spared_s = 0 if by in SHARED else max_s
    assert wait_s({by: failed(200, by=by)}, NOW, is_known_address=True) == spared_s


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_subscriber_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
