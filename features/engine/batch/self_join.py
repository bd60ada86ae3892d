"""Windows over what subjects of one kind did before, and what was found of them.

Their events are rows of the very subjects that are asked about, and so are their keys.
"""

from collections.abc import Iterator, Sequence

from features.engine.batch.factorize import Numbering
from features.engine.batch.gather import SUBJECT_ROW, picked
from features.engine.batch.shared_keys import by_key, by_keying, chosen
from features.engine.batch.sort_by_key import Groups
from features.engine.batch.sweep import Sweep
from features.engine.columns import Column, Columns, Places, length
from features.engine.windows.window import Window


class OwnHistory:
    """`everyone` makes history, `subjects` are some or all of them, both in order of declaration.

    `events` are by source those that windows reduce: `everyone` itself, or with their rows in it.
    """

    def __init__(self, everyone: Columns, subjects: Columns, events: dict[str, Columns]) -> None:
        self._subjects = subjects
        self._events = events
        self._keys = Numbering(everyone)
        ids = everyone["subject_id"]
        is_everyone = subjects["subject_id"] is ids
        self._rows = None if is_everyone else Places(ids).of(subjects["subject_id"])

    def reduced(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Column]]:
        """Each window for all subjects."""
        for by, some in by_key(windows).items():
            codes, size = self._keys.of(by)
            of_subjects = codes if self._rows is None else picked(codes, self._rows)
            asked = Groups.of(of_subjects, self._subjects["declared_at"], size)
            for (source, _, where), few in by_keying(some).items():
                events = self._events[source]
                keys = picked(codes, events[SUBJECT_ROW]) if SUBJECT_ROW in events else codes
                groups = asked  # where each subject is its own event
                if where is not None or keys is not of_subjects:
                    groups = Groups.of(chosen(keys, events, where), events["known_at"], size)
                yield from Sweep(groups, asked, length(self._subjects)).of(few, events)
