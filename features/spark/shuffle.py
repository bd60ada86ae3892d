"""All messages of a part in one task: a shuffle of Spark, and Python over what it brings."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from features.errors import WorkerMismatch
from features.installed_code import installed_code as code_of
from features.spark.part_messages import SCHEMA, SparkPart, messages_of, row_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Makes messages of the number of a part and what was sent there, in its order.
Compute = Callable[[int, Iterator[bytes]], Iterable[SparkPart]]

# So many bytes of messages stay in memory; those that come after them go to disk.
MEMORY_BYTES = 1 << 25

_DECIDING = ("numba", "numpy", "pyarrow")
_PACKAGE = Path(__file__).parents[2]

# Packages whose sources decide what is computed, beside each other.
Packages = tuple[str, ...]

OURS: Packages = (_PACKAGE.name,)


def shuffled(
    messages: "DataFrame", tasks: int, compute: Compute, packages: Packages = OURS
) -> "DataFrame":
    """Return what is computed of each part's messages, by so many tasks.

    A task works on one part after the other, and may be tried again: `compute` must make the same
    of the same, in whatever order the messages were made. A worker that runs other code than this
    process is refused.
    """
    together = messages.repartition(tasks, "part")
    return together.mapInArrow(
        partial(_each_part, compute, packages, code_of_packages(packages)), SCHEMA
    )


@cache
def code_of_packages(packages: Packages = OURS) -> str:
    """Return what decides the bits of a result on this machine."""
    return code_of(tuple(_PACKAGE.parent / each for each in packages), _DECIDING)


def _each_part(
    compute: Compute, packages: Packages, wanted: str, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    if wanted != (here := code_of_packages(packages)):
        raise WorkerMismatch(
            f"a Spark worker has {here}, and this machine {wanted}; "
            "install the same on both, for what is computed has one digest wherever that is done"
        )
    with SpooledTemporaryFile(MEMORY_BYTES) as received:
        for part, bodies in _in_order(batches, received):
            for message in compute(part, bodies):
                yield row_of(message)


def _in_order(
    batches: Iterator[pa.RecordBatch], received: IO[bytes]
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Each part with its messages, by way of a file: not every Spark sorts what it hands over."""
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


# Of the code that this process loaded, not of what somebody installs while it runs.
code_of_packages()
