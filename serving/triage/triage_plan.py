"""The plan of the lanes: capacities of offices, watch-lists and rules, as one dated file.

    edition = "2026-11"

    [offices.XX0001]
    inspect_per_day = 20
    document_check_per_day = 60
    control_per_day = 3
    time_zone = "Asia/Singapore"
    places = ["SGSIN"]

    [[watched]]
    kind = "container"
    value = "CSQU3054383"
    list = "stolen containers"
    reason = "reported stolen in August"
    until = 2027-02-01T00:00:00Z

    [[rules]]
    name = "undeclared stop at sea"
    feature = "longest_silence_hours"
    above = 24.0
    lane = "inspect"
    reason = "silent at sea for more than a day"
    published = "Conveyances that were silent at sea for more than a day are checked."

    [harm]
    migrant_smuggling = 10.0
    undervaluation = 0.5

`published` is the text that operators may read about a rule; without it they learn only that there
is one. Lanes rank by probability × harm where `[harm]` weighs classes of offence, else by
probability. An office's day begins at midnight in its time zone, an IANA name, or in UTC without
one. The file's digest is stored with every decision that used it.
"""

import hashlib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from features.catalogue import features_by_name
from features.home_files import read_home_file
from features.offences import Offence
from serving.triage.lane_declarations import HitLane

Weight = Annotated[float, Field(gt=0, le=1_000)]
PerDay = Annotated[int, Field(ge=0, le=1_000_000)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class _PlanTable(BaseModel):
    # A misspelt key must be an error: ignoring it would silently change who is inspected.
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfficeCapacity(_PlanTable):
    """The daily capacity of an office, in subjects; `control_per_day` is a minimum.

    `time_zone`, an IANA name, sets when its day begins; `places` are the codes of the places of
    entry that belong to the office.
    """

    inspect_per_day: PerDay
    document_check_per_day: PerDay
    control_per_day: PerDay = 0
    time_zone: str = "UTC"
    places: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        known = available_timezones()
        if name not in known:
            near = get_close_matches(name, known, n=1) or ["Asia/Singapore"]
            raise ValueError(f"no time zone {name!r}; want an IANA name such as {near[0]!r}")
        return name


class WatchListEntry(_PlanTable):
    """An entry to look out for: a container, a conveyance or a company, never a person."""

    kind: Literal["container", "conveyance", "company"]
    value: Annotated[str, Field(min_length=1, max_length=64)]
    list: Words
    reason: Words
    until: AwareDatetime | None = None


class TriageRule(_PlanTable):
    """A condition on one feature that an authority wants checked whatever the score.

    `published` is the text that operators may read, if they may know of it.
    """

    name: Words
    feature: str
    above: float | None = None
    below: float | None = None
    lane: HitLane
    reason: Words
    published: Words | None = None

    @model_validator(mode="after")
    def _has_one_bound_on_a_known_number(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("want either `above` or `below`")
        # A rule on an unknown feature, or on a category, would never match and nobody would notice.
        numbers = {f.name for f in features_by_name().values() if not f.is_categorical}
        if self.feature not in numbers:
            raise ValueError(f"no feature {self.feature!r} with numbers; `tidegate features` lists")
        return self


class TriagePlan(_PlanTable):
    """All inputs of placement in addition to scores; `digest` is that of the file."""

    edition: Words = "none"
    offices: dict[str, OfficeCapacity] = {}
    watched: tuple[WatchListEntry, ...] = ()
    rules: tuple[TriageRule, ...] = ()
    harm: dict[Offence, Weight] = {}
    digest: str | None = None

    @property
    def time_zones(self) -> dict[str, ZoneInfo]:
        """The time zone of each office."""
        return {office_id: ZoneInfo(each.time_zone) for office_id, each in self.offices.items()}

    @property
    def office_of_place(self) -> dict[str, str]:
        """The office responsible for each place of entry."""
        return {place: office for office, each in self.offices.items() for place in each.places}

    def capacities(self, lane: str) -> dict[str, int]:
        """Return each office's daily capacity in a lane."""
        return {office: getattr(each, f"{lane}_per_day") for office, each in self.offices.items()}

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the plan of a file, or the empty plan without one; raises TidegateError."""
        if not file.exists():
            return cls()
        # Read once: the file may change, and the digest must be that of the parsed plan.
        content = file.read_bytes()
        plan = read_home_file(cls, file, content=content)
        return plan.model_copy(update={"digest": "sha256:" + hashlib.sha256(content).hexdigest()})
