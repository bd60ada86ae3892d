"""Whether the log of a file is what a move carried to another database, and all of it.

A move appends an event to what it carried, in the same transaction: so it is there whole or not at
all, and its event follows on the newest one that the file had.
"""

from sqlalchemy import Engine, select

from serving.integrity.hash_chain import AUDIT_EVENTS, DECISIONS
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.tables.audit import audit_events

MOVE = "move_database"


def was_carried(source: Engine, target: Engine) -> bool:
    """Whether the newest move into `target` went out from this file, whatever came since.

    A backup of the target has the event of that move itself: nothing was carried from there.
    """
    moved = _moved_at(target)
    here, there = (_audit_links(each, moved) for each in (source, target))
    return moved > 0 and here.get(moved - 1) == there[moved - 1] and here.get(moved) != there[moved]


def has_arrived_whole(source: Engine, target: Engine) -> bool:
    """Whether a move carried all that this file has, to its newest event and decision."""
    ends = CheckpointRepository(source).heads()
    decided = ends[DECISIONS]
    arrived = CheckpointRepository(target).links(DECISIONS, [decided.size])
    return (
        was_carried(source, target)
        and ends[AUDIT_EVENTS].size == _moved_at(target) - 1
        and arrived.get(decided.size) == decided.head
    )


def _moved_at(target: Engine) -> int:
    """The number of the event of the newest move into a database; 0 where there is none."""
    acts = select(audit_events.c.seq).where(audit_events.c.object_kind == "database")
    moves = acts.where(audit_events.c.action == MOVE)
    with target.connect() as connection:
        return connection.scalar(moves.order_by(audit_events.c.seq.desc()).limit(1)) or 0


def _audit_links(engine: Engine, moved: int) -> dict[int, str]:
    return CheckpointRepository(engine).links(AUDIT_EVENTS, [max(moved - 1, 0), moved])
