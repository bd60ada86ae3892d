"""The typologies of the world, in the fixed order of `typologies.toml`."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from features.offences import Offence
from features.records import SubjectKind

UNORGANISED = "unorganised"


class Typology(BaseModel):
    """A way of smuggling, and the signs it leaves in records.

    For a movement that certainly carries something, `signs` gives the frequency of each sign in
    addition to honest mistakes, `events` that of each oddity in reported events, and `items` that
    of each in goods items. `payments` are signs in the order in which a network falls back on them.
    `origins` are the regions where its corridors start (any, if empty). `sensitivity` is the chance
    that an inspection finds the goods, which are one of `offences`; `fronts` the share of movements
    under the network's own shell instead of an honest firm. `weight` is its relative frequency
    among networks.
    """

    # A misspelt field would otherwise be ignored silently, and the world would change.
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
