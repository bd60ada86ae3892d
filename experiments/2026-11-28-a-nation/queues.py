"""Events in order of their instant, and servers that take together what waits."""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

Act = Callable[[], None]


class Clock:
    """The instant of a simulation, and what is to happen later; what was said first comes first."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._events: list[tuple[float, int, Act]] = []
        self._numbers = count()

    def after(self, delay_s: float, act: Act) -> None:
        """Let something happen so much later."""
        heappush(self._events, (self.now_s + delay_s, next(self._numbers), act))

    def run(self) -> None:
        """Let everything happen."""
        while self._events:
            self.now_s, _, act = heappop(self._events)
            act()


class Job(NamedTuple):
    """What a station does: what it adds to its group's time, and what follows either way."""

    cost_s: float
    done: Act
    lost: Act


class Station:
    """One server: takes at most `most` of what waits, for `fixed_s()` and the costs of all of it.

    While it is down it takes nothing, and whatever it had is lost.
    """

    def __init__(
        self, clock: Clock, fixed_s: Callable[[], float] = lambda: 0.0, most: float = float("inf")
    ):
        self._clock = clock
        self._fixed_s = fixed_s
        self._most = most
        self._waiting: deque[Job] = deque()
        self._served: list[Job] = []
        self._life = 0  # of another than this one no service ends any more
        self.is_up = True
        self.busy_s = 0.0
        self.groups = 0
        self.jobs = 0

    def put(self, job: Job) -> None:
        """Let a job wait for its turn; it is lost at once where the station is down."""
        if not self.is_up:
            job.lost()
            return
        self._waiting.append(job)
        if not self._served:
            self._serve()

    def fail(self, takeover_s: float) -> None:
        """Lose everything, and be up again, empty, after so long."""
        self.is_up, self._life = False, self._life + 1
        lost = [*self._served, *self._waiting]
        self._served = []
        self._waiting.clear()
        for job in lost:
            job.lost()
        self._clock.after(takeover_s, self._take_over)

    def _take_over(self) -> None:
        self.is_up = True

    def _serve(self) -> None:
        while self._waiting and len(self._served) < self._most:
            self._served.append(self._waiting.popleft())
        taken_s, life = self._fixed_s() + sum(job.cost_s for job in self._served), self._life
        self.groups += 1
        self.jobs += len(self._served)
        self.busy_s += taken_s
        self._clock.after(taken_s, lambda: self._end(life))

    def _end(self, life: int) -> None:
        if life != self._life:
            return
        served, self._served = self._served, []
        for job in served:
            job.done()
        if self._waiting and not self._served and self.is_up:
            self._serve()
