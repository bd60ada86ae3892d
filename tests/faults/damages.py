"""Ways to damage the text of a model; each takes the text and chance, and gives another text."""

import random
import re
from collections.abc import Callable

END = "end of trees\n"


def truncated(text: str, lots: random.Random) -> str:
    return text[: lots.randrange(_end(text))]


def another_byte(text: str, lots: random.Random) -> str:
    at = lots.randrange(_end(text))
    return text[:at] + chr(lots.randrange(1, 127)) + text[at + 1 :]


def another_bit(text: str, lots: random.Random) -> str:
    at = lots.randrange(_end(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << lots.randrange(7)) + text[at + 1 :]


def another_number(text: str, lots: random.Random) -> str:
    numbers = list(re.finditer(r"(?<=[=: ])-?[0-9][0-9.e+-]*", text[: _end(text)]))
    if not numbers:
        return text
    number = lots.choice(numbers)
    others = ["0", "-1", "99999", "-99999", "1e308", "nan", "inf", "2147483648", "", "1 1"]
    return text[: number.start()] + lots.choice(others) + text[number.end() :]


def another_index(text: str, lots: random.Random) -> str:
    key = lots.choice(["left_child", "right_child", "split_feature", "cat_boundaries"])
    lines = list(re.finditer(f"\n{key}=(.+)\n", text))
    if not lines:
        return text
    line = lots.choice(lines)
    numbers = line[1].split(" ")
    numbers[lots.randrange(len(numbers))] = str(lots.randrange(-12, 12))
    return text[: line.start(1)] + " ".join(numbers) + text[line.end(1) :]


def another_size(text: str, lots: random.Random) -> str:
    line = re.search("\ntree_sizes=(.+)\n", text)
    assert line
    sizes = line[1].split(" ")
    sizes[lots.randrange(len(sizes))] = str(lots.choice([0, 1, -5, 10**9, lots.randrange(3000)]))
    return text[: line.start(1)] + " ".join(sizes) + text[line.end(1) :]


def another_line(text: str, lots: random.Random) -> str:
    lines = text[: _end(text)].split("\n")
    at = lots.randrange(len(lines))
    lines[at : at + 1] = lots.choice([[], [lines[at]] * 2, [lots.choice(lines)]])
    return "\n".join(lines) + text[_end(text) :]


def swapped_trees(text: str, lots: random.Random) -> str:
    one, other = lots.sample(re.findall(r"Tree=\d+\n.*?\n\n\n", text, re.DOTALL), 2)
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def resized(text: str) -> str:
    """The text with tree_sizes made to fit again, as a careful forger would."""
    sizes = [len(block) for block in re.findall(r"Tree=\d+\n.*?\n\n\n", text, re.DOTALL)]
    return re.sub(r"\ntree_sizes=.*\n", f"\ntree_sizes={' '.join(map(str, sizes))}\n", text)


def _end(text: str) -> int:
    """Where the trees end, or any other text."""
    return text.index(END) if END in text else len(text)


Damage = Callable[[str, random.Random], str]

TO_ANY_TEXT: tuple[Damage, ...] = (truncated, another_byte, another_bit, another_number)
TO_TREES: tuple[Damage, ...] = (
    *TO_ANY_TEXT, another_index, another_size, another_line, swapped_trees,
)  # fmt: skip
