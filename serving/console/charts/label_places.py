"""Placement of labels on a picture without overlap with labels, marks or the edge."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Anchor = Literal["start", "middle", "end"]


class Label(NamedTuple):
    """Text at the start, middle or end of a baseline."""

    x: float
    y: float
    anchor: Anchor
    text: str


class Box(NamedTuple):
    """Occupied rectangle on a picture."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Return whether two boxes overlap."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


@dataclass
class LabelPlaces:
    """Occupied areas of a picture; `character` is the approximate width of a letter."""

    width: float
    height: float
    character: float
    line: float
    taken: list[Box] = field(default_factory=list)

    def reserve(self, x: float, y: float, radius: float) -> None:
        """Keep labels off a mark."""
        self.taken.append(Box(x - radius, y - radius, x + radius, y + radius))

    def place(self, x: float, y: float, offset: float, text: str) -> Label | None:
        """Place a label at a mark, on the first free side; None if none is free."""
        tries = (
            Label(x + offset, y + self.line / 3, "start", text),
            Label(x - offset, y + self.line / 3, "end", text),
            Label(x, y - offset, "middle", text),
            Label(x, y + offset + self.line * 0.75, "middle", text),
            Label(x + offset, y - offset, "start", text),
            Label(x + offset, y + offset + self.line / 2, "start", text),
            Label(x - offset, y - offset, "end", text),
            Label(x - offset, y + offset + self.line / 2, "end", text),
        )
        return next((label for label in tries if self._takes(label)), None)

    def place_over(self, x: float, y: float, text: str) -> Label | None:
        """Place a label over an area, such as a country; None if it is not free."""
        label = Label(x, y, "middle", text)
        return label if self._takes(label) else None

    def _takes(self, label: Label) -> bool:
        # The width is an estimate: the server does not know the browser's font.
        width = len(label.text) * self.character
        left = label.x - {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
        box = Box(left, label.y - 0.8 * self.line, left + width, label.y + 0.25 * self.line)
        is_inside = box.left >= 0 and box.right <= self.width
        is_inside &= box.top >= 0 and box.bottom <= self.height
        if not is_inside or any(box.overlaps(other) for other in self.taken):
            return False
        self.taken.append(box)
        return True
