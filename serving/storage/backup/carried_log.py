"""Compares the log of a file with what a move carried to another database.

A move appends its event in the same transaction as the rows it carried. They are therefore all
there or none, and the event follows the newest one of the file.
"""

from sqlalchemy import Engine, select

from serving.integrity.hash_chain import AUDIT_EVENTS, DECISIONS
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.tables.audit import audit_events

MOVE = "move_database"


def was_carried(source: Engine, target: Engine) -> bool:
    """Return whether the newest move into `target` came from this file, whatever was written since.

    A backup of the target contains the event of that move itself: nothing was carried from there.
    """
    moved = _moved_at(target)
    here, there = (_audit_links(each, moved) for each in (source, target))
    # The links before the move agree, and the file lacks the move itself.
    return moved > 0 and here.get(moved - 1) == there[moved - 1] and here.get(moved) != there[moved]


def has_arrived_whole(source: Engine, target: Engine) -> bool:
    """Return whether a move carried all of this file, up to its newest event and decision."""
    ends = CheckpointRepository(source).heads()
    decided = ends[DECISIONS]
    arrived = CheckpointRepository(target).links(DECISIONS, [decided.size])
    return (
        was_carried(source, target)
        and ends[AUDIT_EVENTS].size == _moved_at(target) - 1
        and arrived.get(decided.size) == decided.head
    )


def _moved_at(target: Engine) -> int:
    """Return the number of the event of the newest move into a database; 0 if there is none."""
    acts = select(audit_events.c.seq).where(audit_events.c.object_kind == "database")
    moves = acts.where(audit_events.c.action == MOVE)
    with target.connect() as connection:
        return connection.scalar(moves.order_by(audit_events.c.seq.desc()).limit(1)) or 0


def _audit_links(engine: Engine, moved: int) -> dict[int, str]:
    return CheckpointRepository(engine).links(AUDIT_EVENTS, [max(moved - 1, 0), moved])
