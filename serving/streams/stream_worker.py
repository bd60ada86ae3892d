"""Messages in, answers and dead letters out; a message is done once all results are stored.

The order matters: first the service's answer, which follows its durable record; then the broker's
acknowledgement of what is sent on; then the message is marked as done. After a kill in between,
work repeats from there, and the service repeats its answer, because the message id is the
idempotency key.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.streams.brokers import MessageSink, MessageSource
from serving.streams.dead_letters import dead_letter, of_refused_records
from serving.streams.errors import RefusedMessage
from serving.streams.service_calls import ServiceCalls, Stopped
from serving.streams.stream_messages import KIND_HEADER, Outgoing, StreamMessage

KEEP_ALIVE_S = 5.0
FINISH_S = 20.0  # seconds for messages in flight when the stream is stopped


@dataclass
class StreamCounts:
    """Counts of messages answered, and of messages refused wholly or in part."""

    answered: int = 0
    refused: int = 0


@dataclass
class StreamWorker:
    """A worker on at most `in_flight` messages, one at a time in each lane.

    Without `is_ordered` there are no lanes. Messages are only taken when there is room for them.
    """

    source: MessageSource
    calls: ServiceCalls
    decisions: MessageSink | None
    dead_letters: MessageSink
    in_flight: int
    is_ordered: bool = True
    has_bodies: bool = False
    counts: StreamCounts = field(default_factory=StreamCounts)
    _lanes: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _working: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, is_over: asyncio.Event) -> None:
        """Work until `is_over` is set, then finish messages in flight; raises fatal errors."""
        try:
            while not is_over.is_set():
                await self._take()
            await self._finish()
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)

    async def _take(self) -> None:
        room = self.in_flight - len(self._working)
        if room > 0:
            for message in await self.source.take(room):
                self._begin(message)
            # Lets new tasks start even if the source returns without waiting.
            await asyncio.sleep(0)
        else:
            done, _ = await asyncio.wait(
                self._working, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                await self.source.keep_alive()
        self._drop_ended()

    def _begin(self, message: StreamMessage) -> None:
        before = self._lanes.get(message.lane) if self.is_ordered else None
        task = asyncio.create_task(self._work(message, before))
        self._working.add(task)
        if self.is_ordered:
            self._lanes[message.lane] = task

    def _drop_ended(self) -> None:
        """Forget finished tasks; raises the error of one, which ends the stream."""
        ended = {task for task in self._working if task.done()}
        self._working -= ended
        for task in ended:
            if not task.cancelled():
                task.result()
        self._lanes = {lane: task for lane, task in self._lanes.items() if not task.done()}

    async def _finish(self) -> None:
        if self._working:
            await asyncio.wait(self._working, timeout=FINISH_S)
        self._drop_ended()

    async def _work(self, message: StreamMessage, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
            if before.cancelled() or before.exception():
                raise asyncio.CancelledError  # keep the order: the earlier one is not done
        try:
            await self._answer(message)
        except Stopped:
            raise asyncio.CancelledError from None
        # Last, so that a crash before this line repeats the message instead of losing it.
        await self.source.done(message)

    async def _answer(self, message: StreamMessage) -> None:
        kind = None
        try:
            kind = self.calls.kind_of(message)
            answer = await self.calls.answer(message, kind)
        except RefusedMessage as refused:
            await self._refuse(message, kind, refused.problem)
            return
        if self.decisions is not None:
            headers = {KIND_HEADER: kind}
            await self.decisions.publish(
                Outgoing(message.id, "answer", message.origin, answer, message.key, headers)
            )
        self.counts.answered += 1
        if kind == "records" and (problem := of_refused_records(json.loads(answer))):
            await self._refuse(message, kind, problem)

    async def _refuse(
        self, message: StreamMessage, kind: str | None, problem: Mapping[str, object]
    ) -> None:
        letter = dead_letter(message, kind, dict(problem), has_body=self.has_bodies)
        await self.dead_letters.publish(letter)
        self.counts.refused += 1
