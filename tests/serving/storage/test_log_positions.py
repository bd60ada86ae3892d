"""Followers of the log: each page once, even if one is killed or two follow at the same time."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from serving.storage.log_positions import LogPage, LogPosition
from tests.serving.databases import database

FOLLOWER = LogPosition("a follower")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return database(tmp_path / "log.db")


class Follower:
    """A follower of a log of seven entries, in pages of three."""

    def __init__(self) -> None:
        self.stored: list[tuple[int, int]] = []

    def __call__(self, after: int) -> LogPage | None:
        upto = min(after + 3, 7)
        return None if after >= 7 else (upto, lambda _: self.stored.append((after, upto)))


def test_a_follower_gets_each_page_once_in_order_and_tells_how_far_it_is(engine: Engine) -> None:
    follower, reached = Follower(), list[int]()
    for _ in range(2):
        FOLLOWER.catch_up(engine, follower, reached.append)

    assert follower.stored == [(0, 3), (3, 6), (6, 7)]
    assert reached == [3, 6, 7]


def test_two_that_follow_at_once_store_nothing_twice(engine: Engine) -> None:
    slow, quick = Follower(), Follower()

    def overtaken(after: int) -> LogPage | None:
        page = slow(after)
        FOLLOWER.catch_up(engine, quick)
        return page

    FOLLOWER.catch_up(engine, overtaken)

    assert slow.stored == []
    assert quick.stored == [(0, 3), (3, 6), (6, 7)]


def test_what_fails_is_stored_again_and_the_position_stays(engine: Engine) -> None:
    follower = Follower()

    def fail(_: Connection) -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        FOLLOWER.catch_up(engine, lambda after: (3, fail))
    FOLLOWER.catch_up(engine, follower)

    assert follower.stored[0] == (0, 3)
