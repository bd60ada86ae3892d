"""The typologies of the world, in the fixed order of `typologies.toml`."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from features.offences import Offence
from features.records import SubjectKind

UNORGANISED = "unorganised"


class Typology(BaseModel):
    """A way of smuggling, and the signs it leaves on what is declared.

    `signs` gives, for a movement that surely carries something, how often each sign shows on top of
    honest mistakes, `events` each oddity of what is reported on the way, `items` each of its goods
    items. `payments` are signs in the order in which a network falls back on them. `origins` are
    regions that its corridors start in (any, when empty). `sensitivity` is how often an inspection
    finds what is there, which is one of `offences`; `fronts` how often the operator or consignee is
    the network's own shell rather than an honest firm that is used. `weight` is its part of all
    networks.
    """

    # A misspelt field would be left out silently, and the world would change.
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    subject: SubjectKind
    meaning: str
    source: str
    lanes: tuple[str, ...]
    conveyances: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    signs: dict[str, float]
    events: dict[str, float] = {}
    items: dict[str, float] = {}
    payments: tuple[str, ...] = ("cash", "money_service", "virtual_asset")
    offences: tuple[Offence, ...]
    sensitivity: float
    fronts: float
    weight: float = 1.0
    is_late: bool = False


TYPOLOGIES = TypeAdapter(tuple[Typology, ...]).validate_python(
    tomllib.loads(
        Path(__file__).with_name("typologies.toml").read_text(encoding="utf-8"),
    )["typology"]
)


def typologies_of(kind: SubjectKind) -> tuple[Typology, ...]:
    """Return the typologies of routes or of shipments."""
    return tuple(typology for typology in TYPOLOGIES if typology.subject == kind)
