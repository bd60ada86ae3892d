"""Relay of case events: send a page, wait for the broker, then move the cursor."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.atomic_dir import write_durably
from features.errors import TidegateError
from serving.streams.brokers import MessageSink
from serving.streams.service_calls import FIRST_PAUSE_S, MAX_PAUSE_S
from serving.streams.stream_messages import Outgoing
from tidegate_client import AsyncTidegate, EventPage, NoAnswer, ProblemError

EVERY_S = 1.0
PAGE = 200


@dataclass(frozen=True)
class EventCursor:
    """The file with the id of the last event sent; missing before the first one.

    It is written after the broker acknowledged all events up to that id. If it is lost, all events
    are sent again under the same ids.
    """

    file: Path

    def read(self) -> str | None:
        """Return the id of the last event sent; None to start from the beginning."""
        if not self.file.exists():
            return None
        return self.file.read_text(encoding="utf-8").strip() or None

    def write(self, event_id: str) -> None:
        """Store the id of the last event sent; it survives a crash."""
        write_durably(self.file, f"{event_id}\n".encode())


@dataclass
class EventRelay:
    """A relay that polls case events and sends them on in order."""

    tidegate: AsyncTidegate
    events: MessageSink
    cursor: EventCursor
    say: Callable[[str], None]
    sent: int = 0

    async def require(self) -> None:
        """Raise TidegateError if events cannot be read; tolerate errors that may pass."""
        try:
            await self._page()
        except NoAnswer as error:
            raise TidegateError(f"no service answers at TIDEGATE_ADDRESS: {error}") from None
        except ProblemError as error:
            self._raise_if_final(error)

    async def run(self, is_over: asyncio.Event) -> None:
        """Send events on until `is_over` is set."""
        pause_s = FIRST_PAUSE_S
        is_waiting = False
        while not is_over.is_set():
            try:
                page = await self._page()
            except (NoAnswer, ProblemError) as error:
                if isinstance(error, ProblemError):
                    self._raise_if_final(error)
                # One line for each outage, not for each attempt.
                if not is_waiting:
                    self.say(f"events wait: {error}")
                is_waiting = True
                await _until(is_over, pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
                continue
            pause_s, is_waiting = FIRST_PAUSE_S, False
            await self._send(page)
            if not page.has_more:
                await _until(is_over, EVERY_S)

    async def _page(self) -> EventPage:
        return await self.tidegate.event_page(after=self.cursor.read(), limit=PAGE)

    async def _send(self, page: EventPage) -> None:
        # Concurrent: the sink keeps the order in which sends begin, and each waits for the broker.
        await asyncio.gather(
            *(
                self.events.publish(
                    Outgoing(
                        event.id,
                        "event",
                        event.id,
                        event.model_dump_json().encode(),
                        event.case_id.encode(),
                    )
                )
                for event in page.events
            )
        )
        self.sent += len(page.events)
        # Only now: a crash before this line repeats the page under the same ids.
        if page.next is not None and page.next != self.cursor.read():
            self.cursor.write(page.next)

    def _raise_if_final(self, error: ProblemError) -> None:
        if error.status == 422:
            raise TidegateError(
                f"the service does not know the event in {self.cursor.file}, as after a restore: "
                "remove that file to send all events again, under the ids that they had"
            ) from None
        if error.status < 500 and error.status not in {408, 429}:
            raise TidegateError(
                f"the key may not read events, which takes the scope events: {error}"
            ) from None


async def _until(is_over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(is_over.wait(), seconds)
    except TimeoutError:
        return
