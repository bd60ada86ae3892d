"""What a typology is: a way of smuggling, and the signs it leaves on what is declared."""

from dataclasses import dataclass, field

from features.offences import Offence
from features.records import SubjectKind


@dataclass(frozen=True, kw_only=True)
class Typology:
    """A way of smuggling.

    `signs` gives, for a movement that surely carries something, how often each sign shows on top of
    honest mistakes, `events` each oddity of what is reported on the way, `items` each of its goods
    items. `payments` are signs in
    the order in which a network falls back on them. `origins` are regions that its corridors start
    in (any, when empty). `sensitivity` is how often an inspection finds what is there, which is one
    of `offences`; `fronts` how often the operator or consignee is the network's own shell rather
    than an honest firm that is used. `weight` is its part of all networks.
    """

    name: str
    subject: SubjectKind
    meaning: str
    source: str
    lanes: tuple[str, ...]
    conveyances: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    signs: dict[str, float]
    events: dict[str, float] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)
    payments: tuple[str, ...] = ("cash", "money_service", "virtual_asset")
    offences: tuple[Offence, ...]
    sensitivity: float
    fronts: float
    weight: float = 1.0
    is_late: bool = False
