"""A simulated installation: scorers, a store in partitions, and a log of several chains.

A scorer takes as a group what waits for it, up to 64 requests. It asks each partition once for the
windows of the group's keys, computes on its one core, and sends every decision to the writer of its
chain, which commits together what waits. A group that is durable goes to the partitions as events,
in one message to each, and is answered when they have it. With no partitions, windows and events
cost the scorer and the writer themselves: the service as it is.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal, Self

import numpy as np

from .queues import Act, Clock, Job, Station

Kind = Literal["scorer", "partition", "chain"]


@dataclass(frozen=True)
class Times:
    """Seconds that each step takes; where each comes from stands in `service_times.toml`."""

    http_s: float
    group_s: float
    decide_s: float
    window_s: float
    event_s: float
    message_s: float
    commit_s: float
    append_s: float
    flush_least_s: float
    flush_more_s: float
    network_s: float

    @classmethod
    def read(cls) -> Self:
        """The times of the file beside this module."""
        file = Path(__file__).with_name("service_times.toml")
        return cls(**{name: each["s"] for name, each in tomllib.loads(file.read_text()).items()})


@dataclass(frozen=True)
class Design:
    """How many of what; `owners` are the first columns of a decision's keys.

    `hot_share` of decisions have one more, which is the same for all; where its events come late,
    those of a group take `hot_late_s` more. `in_flight` are the groups that a scorer has begun and
    not answered.
    """

    scorers: int = 1
    partitions: int = 0
    copies: int = 1
    chains: int = 1
    owners: int = 25
    hot_share: float = 0.0
    hot_late_s: float = 0.0
    in_flight: int = 1
    together: int = 64
    most_waiting: int = 1_000


@dataclass(frozen=True)
class Failure:
    """What ends, when, and how long it takes until another is in its place."""

    kind: Kind
    at_s: float
    takeover_s: float


@dataclass
class Result:
    """What became of every request, and how busy each kind of server was, the busiest first."""

    arrived: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    busy: dict[Kind, list[float]] = field(default_factory=dict)
    per_commit: float = 0.0
    lasted_s: float = 0.0
    messages_per_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers in a second."""
        return self.ended["answered"] / self.lasted_s

    def ms(self, percentile: float) -> float:
        """The latency that so many of a hundred stay below; NaN where nothing was answered."""
        return (
            float(np.percentile(self.latencies_s, percentile)) * 1e3 if self.latencies_s else np.nan
        )


@dataclass(eq=False)
class Request:
    """One request; it ends once."""

    arrived_s: float
    ended: Callable[["Request", str], None]
    is_over: bool = False

    def end(self, fate: str) -> None:
        """It was answered, refused or lost; what comes later is not heard any more."""
        if not self.is_over:
            self.is_over = True
            self.ended(self, fate)


class Nation:
    """An installation on a clock of its own."""

    def __init__(self, design: Design, times: Times, seed: int = 20261128):
        self.design, self.times = design, times
        self.clock, self.draws = Clock(), np.random.default_rng(seed)
        self.result = Result()
        self.scorers = [Scorer(self) for _ in range(design.scorers)]
        self.chains = [Station(self.clock, self._commit_s) for _ in range(design.chains)]
        self.partitions = [
            [Station(self.clock, most=1) for _ in range(design.copies)]
            for _ in range(design.partitions)
        ]
        self.messages = 0
        self._turns = count()

    def _commit_s(self) -> float:
        more_s = self.draws.exponential(self.times.flush_more_s)
        return self.times.commit_s + self.times.flush_least_s + more_s

    def arrive(self, then: Act = lambda: None) -> None:
        """Let a request arrive at the next scorer that is up; `then` when it has ended."""
        self.result.arrived += 1

        def ended(request: Request, fate: str) -> None:
            self.result.ended[fate] += 1
            if fate == "answered":
                waited_s = self.clock.now_s - request.arrived_s
                self.result.latencies_s.append(waited_s + 2 * self.times.network_s)
            then()

        request = Request(self.clock.now_s, ended)
        for _ in self.scorers:
            scorer = self.scorers[next(self._turns) % len(self.scorers)]
            if scorer.core.is_up:
                scorer.take(request)
                return
        request.end("refused")

    def open_loop(self, per_s: float, seconds: float, *, is_even: bool = False) -> Result:
        """Requests arrive for so long, at random or evenly, whatever becomes of them."""
        gaps_s = np.full(int(per_s * seconds), 1 / per_s)
        if not is_even:
            gaps_s = self.draws.exponential(gaps_s)
        for at_s in np.cumsum(gaps_s):
            self.clock.after(float(at_s), self.arrive)
        return self._run(seconds)

    def closed_loop(self, connections: int, seconds: float) -> Result:
        """So many connections ask again as soon as they are answered."""

        def again() -> None:
            if self.clock.now_s < seconds:
                self.arrive(again)

        for _ in range(connections):
            self.clock.after(0, again)
        return self._run(seconds)

    def let_fail(self, failure: Failure) -> None:
        """Let the first server of a kind fail."""
        stations = {
            "scorer": [self.scorers[0].core],
            "chain": self.chains[:1],
            "partition": [copies[0] for copies in self.partitions[:1]],
        }[failure.kind]
        for station in stations:
            self.clock.after(failure.at_s, partial(station.fail, failure.takeover_s))
        if failure.kind == "scorer":
            self.clock.after(failure.at_s, self.scorers[0].lose)

    def _run(self, seconds: float) -> Result:
        self.clock.run()
        result, lasted_s = self.result, max(self.clock.now_s, seconds)
        stations: dict[Kind, Iterable[Station]] = {
            "scorer": [scorer.core for scorer in self.scorers],
            "partition": [copy for copies in self.partitions for copy in copies],
            "chain": self.chains,
        }
        for kind, each in stations.items():
            result.busy[kind] = sorted((one.busy_s / lasted_s for one in each), reverse=True)
        groups = sum(chain.groups for chain in self.chains)
        result.per_commit = sum(chain.jobs for chain in self.chains) / max(groups, 1)
        result.lasted_s, result.messages_per_s = lasted_s, self.messages / lasted_s
        return result


class Scorer:
    """A process that decides: a queue, and one core."""

    def __init__(self, nation: Nation):
        self._nation = nation
        self.core = Station(nation.clock, most=1)
        self._waiting: list[Request] = []
        self._begun: list[Group] = []
        self._taken = 0  # and no group of theirs has begun

    def take(self, request: Request) -> None:
        """Let a request wait for its group."""
        if self._taken >= self._nation.design.most_waiting:
            request.end("refused")
            return
        self._taken += 1
        lost = partial(request.end, "lost")
        self.core.put(Job(self._nation.times.http_s, partial(self._wait, request), lost))

    def _wait(self, request: Request) -> None:
        self._waiting.append(request)
        self._begin()

    def end(self, group: "Group") -> None:
        """A group has ended: another may begin."""
        if group in self._begun:
            self._begun.remove(group)
            self._begin()

    def lose(self) -> None:
        """Whoever waits here is not answered: the connection is gone."""
        for request in (*self._waiting, *(one for group in self._begun for one in group.requests)):
            request.end("lost")
        self._waiting, self._begun, self._taken = [], [], 0

    def _begin(self) -> None:
        design = self._nation.design
        while self._waiting and len(self._begun) < design.in_flight:
            taken, self._waiting = (
                self._waiting[: design.together],
                self._waiting[design.together :],
            )
            self._taken -= len(taken)
            group = Group(self._nation, self, taken)
            self._begun.append(group)
            group.read()


class Group:
    """Requests that are decided together."""

    def __init__(self, nation: Nation, scorer: Scorer, requests: list[Request]):
        self._nation, self._scorer, self.requests = nation, scorer, requests
        self._keys = self._keys_by_partition()

    def _keys_by_partition(self) -> list[tuple[int, int]]:
        """Of how many keys each partition is asked; the hot key lies in the first."""
        design, draws = self._nation.design, self._nation.draws
        hot = int(draws.binomial(len(self.requests), design.hot_share))
        self._has_hot = hot > 0
        if not design.partitions:
            return []
        keys = draws.multinomial(
            len(self.requests) * design.owners, np.full(design.partitions, 1 / design.partitions)
        )
        keys[0] += hot
        return [(int(place), int(keys[place])) for place in np.flatnonzero(keys)]

    def read(self) -> None:
        """Ask one copy of each partition; where none is up nothing can be decided."""
        latch = Latch(len(self._keys), self._decide)
        for place, keys in self._keys:
            self._ask(place, keys, latch)

    def _ask(self, place: int, keys: int, latch: "Latch") -> None:
        nation, times = self._nation, self._nation.times
        up = [copy for copy in nation.partitions[place] if copy.is_up]
        if not up:
            self._refuse(self.requests)
            return
        copy = up[int(nation.draws.integers(len(up)))]
        job = Job(
            times.message_s + keys * times.window_s,
            partial(nation.clock.after, times.network_s, latch.count_down),
            partial(self._ask, place, keys, latch),
        )
        self._send(copy, job)

    def _decide(self) -> None:
        times, size = self._nation.times, len(self.requests)
        cost_s = times.group_s + size * times.decide_s + 2 * len(self._keys) * times.message_s
        if not self._nation.design.partitions:
            cost_s += size * self._nation.design.owners * times.window_s
        self._scorer.core.put(Job(cost_s, self._append, lambda: None))

    def _append(self) -> None:
        nation, times = self._nation, self._nation.times
        latch = Latch(len(self.requests), self._ingest)
        cost_s = times.append_s
        if not nation.design.partitions:
            cost_s += nation.design.owners * times.event_s
        for request in self.requests:
            chain = nation.chains[int(nation.draws.integers(len(nation.chains)))]
            done = partial(nation.clock.after, times.network_s, latch.count_down)
            self._send(chain, Job(cost_s, done, partial(self._not_durable, request, latch)))

    def _not_durable(self, request: Request, latch: "Latch") -> None:
        request.end("refused")
        latch.count_down()

    def _ingest(self) -> None:
        """Every copy that is up gets the events; one that is not reads them from the log later."""
        nation, times = self._nation, self._nation.times
        late_s = nation.design.hot_late_s * self._has_hot
        copies = [
            (copy, times.message_s + keys * times.event_s + late_s * (not place))
            for place, keys in self._keys
            for copy in nation.partitions[place]
        ]
        latch = Latch(len(copies), self._answer)
        for copy, cost_s in copies:
            done = partial(nation.clock.after, times.network_s, latch.count_down)
            self._send(copy, Job(cost_s, done, latch.count_down))

    def _answer(self) -> None:
        for request in self.requests:
            request.end("answered")
        self._scorer.end(self)

    def _refuse(self, requests: list[Request]) -> None:
        for request in requests:
            request.end("refused")
        self._scorer.end(self)

    def _send(self, station: Station, job: Job) -> None:
        self._nation.messages += bool(self._nation.design.partitions)
        self._nation.clock.after(self._nation.times.network_s, partial(station.put, job))


class Latch:
    """Lets something happen when so many have counted it down."""

    def __init__(self, left: int, then: Act):
        self._left, self._then = left, then
        if not left:
            then()

    def count_down(self) -> None:
        """One more."""
        self._left -= 1
        if not self._left:
            self._then()
