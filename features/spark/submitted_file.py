"""File of submissions, one per line, that all workers can read in pieces."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from features.file_among_records import folder_beside_records
from features.ingest.record_folder import RecordFolder
from features.submission import Submission

# Bytes of lines that a task reads and answers together.
PIECE_BYTES = 1 << 22

# Parses lines into submissions, given the row number of the first; raises RecordsError.
ReadLines = Callable[[Iterable[bytes], int], Iterator[Submission]]


class FilePiece(NamedTuple):
    """Whole lines of a file: begin and end in bytes, and the row number of the first line."""

    begin: int
    end: int
    first_row: int


@dataclass(frozen=True)
class SubmittedFile:
    """Copy of a file of submissions, in pieces, with the function that parses lines.

    `added` is the folder for the records that submissions add to history.
    """

    file: Path
    pieces: Sequence[FilePiece]
    read: ReadLines
    added: Path

    def submissions(self, place: int) -> list[Submission]:
        """Return the submissions of a piece.

        Raises RecordsError for the first wrong one.
        """
        piece = self.pieces[place]
        with self.file.open("rb") as opened:
            opened.seek(piece.begin)
            lines = BytesIO(opened.read(piece.end - piece.begin))
        return [*self.read(lines, piece.first_row)]


@contextmanager
def submitted_beside(file: Path, records: Path, read: ReadLines) -> Iterator[SubmittedFile]:
    """Copy a file next to the records, where all workers can read it, for the block.

    Raises RecordsError if the folder of records does not exist.
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
