"""Checkpoints on disk: in the database, and in a file for a witness."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from serving.audit.checkpoints import Checkpoint
from serving.db.engine import failing_as_unavailable
from serving.db.tables import checkpoints
from serving.db.write_lock import writing


class CheckpointRepository:
    """The checkpoints of one log; each is also handed to the witness's file, one JSON a line."""

    def __init__(self, engine: Engine, witness: Path):
        self._engine = engine
        self._witness = witness

    def append(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint; one of the same size that is there already is as good.

        Raises LogUnavailable where it can't be stored.
        """
        with failing_as_unavailable():
            try:
                with writing(self._engine) as connection:
                    connection.execute(checkpoints.insert(), asdict(checkpoint))
            except IntegrityError:
                return
            append_line(self._witness, checkpoint)

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(select(checkpoints).order_by(checkpoints.c.size))
            return [Checkpoint(**row._mapping) for row in rows]


def append_line(file: Path, checkpoint: Checkpoint) -> None:
    """Append a checkpoint to a witness's file; on disk when this returns."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(checkpoint)) + "\n")
        lines.flush()
        os.fsync(lines.fileno())
