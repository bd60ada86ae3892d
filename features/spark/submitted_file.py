"""A file of submissions, a line each, where all workers see it, and the pieces it is read in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from features.file_among_records import folder_beside_records
from features.ingest.record_folder import RecordFolder
from features.submission import Submission

# So many bytes of lines are read by a task and answered together.
PIECE_BYTES = 1 << 22

# Makes submissions of lines, of which the first is such a row; raises RecordsError.
ReadLines = Callable[[Iterable[bytes], int], Iterator[Submission]]


class FilePiece(NamedTuple):
    """Some whole lines of a file: from where to where, and the row of the first."""

    begin: int
    end: int
    first_row: int


@dataclass(frozen=True)
class SubmittedFile:
    """A copy of a file of submissions, in pieces, and how a worker reads one.

    `added` is a folder for what they add to the records.
    """

    file: Path
    pieces: Sequence[FilePiece]
    read: ReadLines
    added: Path

    def submissions(self, place: int) -> list[Submission]:
        """Those of a piece. Raises RecordsError for the first that is wrong."""
        piece = self.pieces[place]
        with self.file.open("rb") as opened:
            opened.seek(piece.begin)
            lines = BytesIO(opened.read(piece.end - piece.begin))
        return [*self.read(lines, piece.first_row)]


@contextmanager
def submitted_beside(file: Path, records: Path, read: ReadLines) -> Iterator[SubmittedFile]:
    """Give a file to all workers, in a folder beside the records, for the block.

    Raises RecordsError without the folder of records.
    """
    RecordFolder(records)
    with folder_beside_records(records) as folder:
        copy, added = folder / file.name, folder / "added"
        added.mkdir()
        yield SubmittedFile(copy, [*_copied(file, copy)], read, added)


def _copied(file: Path, copy: Path) -> Iterator[FilePiece]:
    begin, row = 0, 1
    with file.open("rb") as opened, copy.open("wb") as out:
        while lines := opened.readlines(PIECE_BYTES):
            size = out.write(b"".join(lines))
            yield FilePiece(begin, begin + size, row)
            begin, row = begin + size, row + len(lines)
