"""Lines of a witness: whole ones are read, torn ones passed over, changed ones found."""

import json
import random
import tracemalloc
from itertools import chain, pairwise, repeat

import pytest

from serving.integrity.witness_lines import framed, read_witness_lines
from tests.counts import count

LINES = [json.dumps({"number": n, "text": "é" * (n % 5), "{": "tidegate1 9 "}) for n in range(20)]
WHOLE = b"".join(map(framed, LINES))


def test_whole_lines_are_read_as_they_were_handed_over() -> None:
    found = read_witness_lines(WHOLE)

    assert (found.lines, found.torn, found.damaged) == (LINES, 0, [])


@pytest.mark.parametrize("ends_first", [True, False], ids=["line ended", "glued"])
def test_half_a_line_is_passed_over_wherever_it_was_cut_and_what_follows_is_read(
    ends_first: bool,
) -> None:
    line = framed(LINES[3])
    for cut in range(1, len(line) - 1):
        torn = line[:cut] + (b"\n" if ends_first else b"")

        found = read_witness_lines(framed(LINES[2]) + torn + framed(LINES[3]))

        assert (found.lines, found.damaged) == ([LINES[2], LINES[3]], [])
        assert found.torn == 1


def test_a_line_that_a_power_cut_left_as_zeros_is_torn() -> None:
    line = framed(LINES[3])
    zeros = line[:90] + bytes(len(line) - 90)

    found = read_witness_lines(zeros + b"\n" + framed(LINES[3]))

    assert (found.lines, found.torn, found.damaged) == ([LINES[3]], 1, [])


def test_the_end_of_a_file_is_read_from_within_a_line() -> None:
    for begin in range(0, 400, 7):
        found = read_witness_lines(WHOLE[begin:])

        assert found.lines == LINES[-len(found.lines) :]
        assert len(found.lines) >= len(LINES) - 4


@pytest.mark.faults
def test_no_changed_byte_passes_as_what_was_handed_over() -> None:
    lots = random.Random(7)
    for _ in range(count(200, 5_000)):
        at = lots.randrange(len(WHOLE))
        changed = bytearray(WHOLE)
        changed[at] ^= 1 << lots.randrange(8)
        found = read_witness_lines(bytes(changed))

        if len(found.lines) == len(LINES):
            assert found.lines == LINES  # an end of line, which says nothing
        else:
            assert [line for line in LINES if line in found.lines] == found.lines
            assert found.torn or found.damaged


def test_in_whatever_pieces_it_comes_the_same_is_found() -> None:
    lots = random.Random(11)
    plain = b'{"size": 3, "head": "00"}\n'
    parts = [WHOLE, framed(LINES[3])[:70], plain, bytes(150), plain[:9], framed(LINES[4])]
    for _ in range(count(150, 3_000)):
        changed = bytearray(b"".join(lots.choices(parts, k=4)))
        changed[lots.randrange(len(changed))] ^= 1 << lots.randrange(8)
        content = bytes(changed)
        cuts = sorted(lots.choices(range(len(content)), k=lots.randrange(1, 40)))
        pieces = [content[a:b] for a, b in pairwise([0, *cuts, len(content)])]

        assert read_witness_lines(pieces) == read_witness_lines(content)


@pytest.mark.parametrize("byte", [b"\0", b"x", b"x\n"])
def test_what_somebody_filled_a_witness_with_is_not_held_in_memory(byte: bytes) -> None:
    piece = byte * ((1 << 20) // len(byte))
    torn = framed(LINES[1])[:100] + bytes(100)

    tracemalloc.start()
    found = read_witness_lines(chain([torn], repeat(piece, 40), [b"\n", framed(LINES[0])]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.lines == [LINES[0]]
    assert peak < 12 << 20
