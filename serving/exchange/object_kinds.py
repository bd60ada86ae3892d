"""The kinds of objects that may travel, as `object_kinds.toml` lists them."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.persons import is_about_a_person
from serving.exchange.errors import ExchangeRefused

# Fields of every object; `revoked` is that of a recall.
COMMON_FIELDS = frozenset(
    """
    type spec_version id created_by_ref created modified revoked object_marking_refs extensions
    """.split()
)


@dataclass(frozen=True)
class ObjectKind:
    """One kind of object; `schema` is its name in FollowTheMoney, None for what is no entity."""

    name: str
    stix_type: str
    nominal: bool
    fields: tuple[str, ...]
    details: tuple[str, ...]
    schema: str | None = None

    def is_nominal(self, details: Mapping[str, Any]) -> bool:
        """Return whether an object names a company, vessel or vehicle."""
        return self.nominal and details.get("watched") != "container"


def refuse_other_fields(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ExchangeRefused for a field that is not known; one about a person by that name."""
    unknown = sorted(set(given).difference(known))
    # A list of what is known, not of what is forbidden: nobody can name every field of a person.
    if persons := [field for field in unknown if is_about_a_person(field)]:
        raise ExchangeRefused(
            "names-a-person", f"{persons[0]} would describe a person; persons never travel"
        )
    if unknown:
        raise ExchangeRefused("unknown-field", "an object has a field that its kind does not have")


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

OBJECT_KINDS = {name: ObjectKind(name, **each) for name, each in _TABLE.items()}
