"""Windows over earlier subjects of one kind and over their outcomes.

The events are rows of the same table as the subjects, and so are their keys.
"""

from collections.abc import Iterator, Sequence

from features.engine.batch.factorize import KeyFactorizer
from features.engine.batch.gather import SUBJECT_ROW, gather
from features.engine.batch.reduce_windows import Sweep
from features.engine.batch.shared_keys import by_key, by_keying, keys_where
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.batch.subject_versions import VERSION_ROW
from features.engine.columns import Column, Columns, Places, length
from features.engine.windows.window_declaration import Window


class SelfJoin:
    """Join of subjects with their own table.

    `everyone` makes history; `subjects` are some or all of its rows. Both are in order of
    declaration. `events` holds by source the events to reduce: `everyone` itself, or events that
    refer to its rows.
    """

    def __init__(self, everyone: Columns, subjects: Columns, events: dict[str, Columns]) -> None:
        self._subjects = subjects
        self._events = events
        self._keys = KeyFactorizer(everyone)
        self._rows = _rows(everyone, subjects)

    def reduce(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Column]]:
        """Yield each window for all subjects."""
        for by, of_key in by_key(windows).items():
            codes, size = self._keys.codes(by)
            of_subjects = codes if self._rows is None else gather(codes, self._rows)
            subject_groups = KeyGroups.sort(of_subjects, self._subjects["declared_at"], size)
            for (source, _, where), alike in by_keying(of_key).items():
                events = self._events[source]
                keys = gather(codes, events[SUBJECT_ROW]) if SUBJECT_ROW in events else codes
                groups = subject_groups  # if each subject is its own event
                if where is not None or keys is not of_subjects:
                    groups = KeyGroups.sort(
                        keys_where(keys, events, where), events["known_at"], size
                    )
                yield from Sweep(groups, subject_groups, length(self._subjects)).reduce(
                    alike, events
                )


def _rows(everyone: Columns, subjects: Columns) -> Column | None:
    """Return the row of each subject in `everyone`; None if both are the same table."""
    if VERSION_ROW in subjects:
        return subjects[VERSION_ROW]
    ids = everyone["subject_id"]
    return None if subjects["subject_id"] is ids else Places(ids).of(subjects["subject_id"])
