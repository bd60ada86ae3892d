"""Picture of what a case shares with others.

Columns from left to right: the case, what it shares, other cases, and for one opened case what
it shares further and with which cases. A table on the page has the same content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from serving.language import reading, say, say_of, say_word
from serving.review.cases.case_graph import CaseGraph, Neighbour
from serving.review.cases.case_records import CaseRow
from serving.review.cases.shared_things import SharedThing

COLUMN_PX, NODE_PX, ROW_PX, NODE_HEIGHT_PX, TOP_PX = 200.0, 170.0, 50.0, 38.0, 30.0
# Characters of an id in a box, of which longer ones show both ends, and of the smaller line below.
# The table has both whole.
MAX_ID_LENGTH, MAX_LINE_LENGTH = 16, 21

NodeKind = Literal["case", "thing", "neighbour"]


@dataclass(frozen=True)
class GraphNode:
    """Box of the picture with two lines of text.

    `about` names what is highlighted with it, `opens` the case that a click opens or expands,
    and `value` the full name.
    """

    kind: NodeKind
    x: float
    y: float
    title: str
    words: str
    about: str
    is_confirmed: bool = False
    opens: str | None = None
    value: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """Line between two boxes; `about` is the thing that both have in common."""

    x1: float
    y1: float
    x2: float
    y2: float
    about: str
    is_confirmed: bool


@dataclass(frozen=True)
class ThingRow:
    """Table row of a shared thing: its kind, its roles and the number of other cases.

    `open_cases` counts those that are not closed.
    """

    number: int
    kind: str
    words: str
    value: str
    others: str
    open_cases: int


@dataclass(frozen=True)
class NeighbourRow:
    """Table row of a neighbour: what it shares, and its status."""

    case: CaseRow
    shares: tuple[str, ...]
    status: str
    opened_at: datetime
    is_confirmed: bool


@dataclass(frozen=True)
class LinkGraph:
    """Picture of a case's links with the rows of its tables; empty without neighbours."""

    case_id: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    columns: tuple[str, ...]
    things: tuple[ThingRow, ...]
    neighbours: tuple[NeighbourRow, ...]
    more: int
    is_total_known: bool
    confirmed: int
    opened: str | None

    @classmethod
    def from_graph(
        cls, row: CaseRow, graph: CaseGraph, opened: tuple[Neighbour, CaseGraph] | None = None
    ) -> Self:
        """Return the links of a case, with those of one opened neighbour."""
        drawing = _Drawing.of_case(row, graph)
        columns = [say("This case"), say("Shares"), say("With")]
        if opened is not None:
            drawing.open_neighbour(graph, *opened)
            columns += [say("Which shares"), say("With")]
        return cls(
            case_id=graph.case_id,
            nodes=tuple(drawing.nodes),
            edges=tuple(drawing.edges),
            columns=tuple(columns),
            things=tuple(_thing_rows(graph.things)),
            neighbours=tuple(_neighbour_row(each, graph.things) for each in graph.neighbours),
            more=graph.more,
            is_total_known=graph.is_total_known,
            confirmed=sum(each.is_confirmed for each in graph.neighbours),
            opened=opened[0].case.case_id if opened else None,
        )

    @property
    def opened_case(self) -> tuple[CaseRow, ...]:
        """Opened neighbour, if any."""
        return tuple(each.case for each in self.neighbours if each.case.case_id == self.opened)

    @property
    def width(self) -> float:
        """Width of the picture."""
        return COLUMN_PX * (len(self.columns) - 1) + NODE_PX + 20

    @property
    def height(self) -> float:
        """Height of the picture."""
        return max(node.y for node in self.nodes) + NODE_HEIGHT_PX + 12


@dataclass
class _Drawing:
    """Boxes and lines under construction, column by column."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]

    @classmethod
    def of_case(cls, row: CaseRow, graph: CaseGraph) -> "_Drawing":
        drawing = cls([], [])
        tallest = max(len(graph.things), len(graph.neighbours), 1)
        middle = TOP_PX + ROW_PX * (tallest - 1) / 2
        case = GraphNode(
            "case", 10, middle, _ends(row.subject_id), say("this case"), f"case:{graph.case_id}"
        )
        drawing.nodes.append(case)
        drawing.draw_neighbours(1, case, graph, tallest, prefix="thing")
        return drawing

    def open_neighbour(self, graph: CaseGraph, neighbour: Neighbour, further: CaseGraph) -> None:
        """Draw what a neighbour shares further, without links back to the case."""
        # What both cases share is in the picture already.
        known = {(thing.kind, thing.value) for thing in graph.things}
        keeps = [at for at, t in enumerate(further.things) if (t.kind, t.value) not in known]
        places = {at: new for new, at in enumerate(keeps)}
        others = [
            Neighbour(each.case, shares, each.is_confirmed)
            for each in further.neighbours
            if each.case.case_id != graph.case_id
            and (shares := tuple((places[at], r) for at, r in each.shares if at in places))
        ]
        rest = CaseGraph(
            further.case_id,
            tuple(further.things[at] for at in keeps),
            tuple(others),
            len(others),
            is_total_known=further.is_total_known,
        )
        start = next(node for node in self.nodes if node.about == f"case:{neighbour.case.case_id}")
        tallest = max(len(rest.things), len(rest.neighbours), len(graph.neighbours), 1)
        self.draw_neighbours(3, start, rest, tallest, prefix="further")

    def draw_neighbours(
        self, column: int, start: GraphNode, graph: CaseGraph, tallest: int, prefix: str
    ) -> None:
        """Draw things in a column, their cases in the next, and the lines between."""
        things = [
            GraphNode(
                "thing",
                10 + COLUMN_PX * column,
                _row(place, len(graph.things), tallest),
                _ends(thing.value),
                _short(
                    say(
                        "{count} more: {what}",
                        count=_count(thing),
                        what=_as_what(thing.kind, thing.roles),
                    ),
                ),
                f"{prefix}:{place}",
                value=thing.value,
            )
            for place, thing in enumerate(graph.things)
        ]
        cases = [
            GraphNode(
                "neighbour",
                10 + COLUMN_PX * (column + 1),
                _row(place, len(graph.neighbours), tallest),
                _ends(each.case.subject_id),
                _status(each),
                f"case:{each.case.case_id}",
                each.is_confirmed,
                each.case.case_id,
            )
            for place, each in enumerate(graph.neighbours)
        ]
        reached = {at for each in graph.neighbours if each.is_confirmed for at, _ in each.shares}
        for place, thing in enumerate(things):
            self.edges.append(_edge(start, thing, is_confirmed=place in reached))
        for case, each in zip(cases, graph.neighbours, strict=True):
            for place, _ in each.shares:
                self.edges.append(_edge(things[place], case, is_confirmed=each.is_confirmed))
        self.nodes += [*things, *cases]


def _row(place: int, among: int, tallest: int) -> float:
    """Return the y of a box, centred on the tallest column."""
    return TOP_PX + ROW_PX * (place + (tallest - among) / 2)


def _edge(left: GraphNode, right: GraphNode, *, is_confirmed: bool) -> GraphEdge:
    half = NODE_HEIGHT_PX / 2
    about = right.about if right.kind == "thing" else f"{left.about} {right.about}"
    return GraphEdge(left.x + NODE_PX, left.y + half, right.x, right.y + half, about, is_confirmed)


def _count(thing: SharedThing) -> str:
    return reading().language.figure(f"{len(thing.others):,}") + ("" if thing.is_counted else "+")


def _thing_rows(things: Iterable[SharedThing]) -> Iterator[ThingRow]:
    for number, thing in enumerate(things):
        count = len(thing.others)
        if thing.is_counted:
            words = say_of(count, "{count} other case", "{count} other cases")
        else:
            words = say_of(count, "{count} or more other cases", "{count} or more other cases")
        as_what = _as_what(thing.kind, thing.roles)
        open_cases = sum(not other.is_closed for other in thing.others)
        yield ThingRow(number, thing.kind, as_what, thing.value, words, open_cases)


def _neighbour_row(each: Neighbour, things: tuple[SharedThing, ...]) -> NeighbourRow:
    return NeighbourRow(
        each.case,
        tuple(_shares(things[place], roles) for place, roles in each.shares),
        _status(each),
        each.case.opened_at,
        each.is_confirmed,
    )


def shared_in_words(thing: SharedThing) -> str:
    """Return a shared thing by its role and its id."""
    return say("{what} {id}", what=_as_what(thing.kind, thing.roles), id=thing.value)


def _shares(thing: SharedThing, roles: tuple[str, ...]) -> str:
    """Return what is shared, with its role in the other case if that differs."""
    here, there = _as_what(thing.kind, thing.roles), _as_what(thing.kind, roles)
    if here == there:
        return shared_in_words(thing)
    return say("{what} {id} (there: {there})", what=here, id=thing.value, there=there)


def _as_what(kind: str, roles: tuple[str, ...]) -> str:
    return ", ".join(map(say_word, roles)) or say_word(kind)


def _status(each: Neighbour) -> str:
    return say("smuggling confirmed") if each.is_confirmed else say_word(each.case.status)


def _ends(text: str) -> str:
    return text if len(text) <= MAX_ID_LENGTH else f"{text[:8]}…{text[-7:]}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_LINE_LENGTH else f"{text[: MAX_LINE_LENGTH - 1]}…"
