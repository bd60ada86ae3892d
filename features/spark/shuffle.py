"""Shuffle of messages that brings all messages of a part to one task."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from features.errors import TidegateError
from features.installed_code import installed_code as code_of
from features.spark.part_messages import SCHEMA, SparkPart, messages_of, row_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Turns the messages of a part, given its number and bodies in order, into new messages.
Compute = Callable[[int, Iterator[bytes]], Iterable[SparkPart]]

# Bytes of messages held in memory before they go to disk.
MEMORY_BYTES = 1 << 25

_DECIDING = ("numba", "numpy", "pyarrow")
_PACKAGE = Path(__file__).parents[2]

# Names of sibling packages whose source decides what is computed.
Packages = tuple[str, ...]

OURS: Packages = (_PACKAGE.name,)


def shuffled(
    messages: "DataFrame", tasks: int, compute: Compute, packages: Packages = OURS
) -> "DataFrame":
    """Return the messages computed from each part's messages by `tasks` tasks.

    A task processes parts one after the other and may be retried: `compute` must give equal results
    for equal input, in whatever order the messages were made. Workers with other code than this
    process are refused.
    """
    together = messages.repartition(tasks, "part")
    return together.mapInArrow(
        partial(_each_part, compute, packages, code_of_packages(packages)), SCHEMA
    )


@cache
def code_of_packages(packages: Packages = OURS) -> str:
    """Return an identifier of the code and libraries that decide results on this machine."""
    return code_of(tuple(_PACKAGE.parent / each for each in packages), _DECIDING)


def _each_part(
    compute: Compute, packages: Packages, wanted: str, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    if wanted != (here := code_of_packages(packages)):
        raise TidegateError(
            f"a Spark worker has {here}, and this machine {wanted}; "
            "install the same version on both, because results must be the same to the bit"
        )
    with SpooledTemporaryFile(MEMORY_BYTES) as received:
        for part, bodies in _in_order(batches, received):
            for message in compute(part, bodies):
                yield row_of(message)


def _in_order(
    batches: Iterator[pa.RecordBatch], received: IO[bytes]
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield each part with its messages in order, by way of a file.

    Some versions of Spark do not sort the rows they hand over.
    """
    places: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for batch in batches:
        for message in messages_of(batch):
            places[message.part].append((message.at, received.tell(), len(message.body)))
            received.write(message.body)
    for part in sorted(places):
        yield part, _read(sorted(places.pop(part)), received)


def _read(places: Iterable[tuple[int, int, int]], received: IO[bytes]) -> Iterator[bytes]:
    for _, begin, size in places:
        received.seek(begin)
        yield received.read(size)


# Cached at import, so that the identifier describes the loaded code and not a later installation.
code_of_packages()
