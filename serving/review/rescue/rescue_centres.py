"""Coordination centres that the deployer configured, by position.

    desk_telephone = "+49 40 555 0100"
    acknowledge_within_minutes = 5

    [[centres]]
    name = "MRCC Piraeus"
    receives_for_state = "GR"
    brings_to_place_of_safety = true
    telephone = "+30 210 411 2500"
    addresses = ["https://mrcc.example/calls", "mailto:watch@mrcc.example"]
    secret = "whsec_…"
    covers = ["sea"]
    areas = [{ box = [34.0, 19.0, 41.0, 29.0] }]

    [mail]
    host = "mail.example"
    sender = "tidegate@desk.example"

A box is south, west, north, east; a polygon is a list of latitude and longitude. Neither may cross
the 180th meridian. The first centre in the file whose area contains a position is called, or one
without areas if there is none. The addresses of a centre are called in turn until a person
acknowledges: one by HTTPS and one by mail (`mailto:`), so that the call continues over another
medium if the first fails. Authorities that push or pull people back must never be called: each
centre names the State in whose name it receives people, and the deployer states that it brings them
to a place of safety (`docs/rescue.md`).
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from features.errors import TidegateError
from features.field_types import Country
from features.home_files import read_home_file
from features.records import Mode, Position
from serving.access.errors import AddressRefused
from serving.access.http_client import refuse_unsafe
from serving.review.rescue.rescue_mail import BY_MAIL, MailServer, mail_address

Ground = Literal["sea", "land"]
# Decides who helps: search and rescue by ship and aircraft, or ambulance and fire brigade.
GROUND: dict[Mode, Ground] = {
    "sea": "sea",
    "inland_waterway": "sea",
    "air": "sea",
    "road": "land",
    "rail": "land",
}

Words = Annotated[str, Field(min_length=1, max_length=200)]
Telephone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 /()-]{2,30}$")]
Box = tuple[float, float, float, float]
Point = tuple[float, float]


class _CentreTable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Area(_CentreTable):
    """A part of the earth: a box (south, west, north, east) or a polygon, in degrees."""

    box: Box | None = None
    polygon: Annotated[tuple[Point, ...], Field(min_length=3)] | None = None

    @model_validator(mode="after")
    def _is_one_shape(self) -> Self:
        if (self.box is None) == (self.polygon is None):
            raise ValueError("want either `box` or `polygon`")
        if self.box:
            south, west, north, east = self.box
            if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
                raise ValueError("want a box as south, west, north, east")
        if not all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in self.polygon or ()):
            raise ValueError("want a polygon of latitude and longitude")
        return self

    def holds(self, latitude: float, longitude: float) -> bool:
        """Return whether it contains a position; its south and west edges belong to it."""
        if self.box:
            # Half-open, so that a position on a shared edge belongs to one area only.
            south, west, north, east = self.box
            return south <= latitude < north and west <= longitude < east
        return _is_inside(self.polygon or (), latitude, longitude)


class RescueCentre(_CentreTable):
    """One centre: what it covers and how it is reached. Without areas it covers all positions."""

    name: Words
    receives_for_state: Country | None
    brings_to_place_of_safety: Literal[True]
    telephone: Telephone | None = None
    addresses: tuple[str, ...] = ()
    secret: str | None = None
    covers: Annotated[tuple[Ground, ...], Field(min_length=1)] = ("sea",)
    areas: tuple[Area, ...] = ()

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if not self.addresses:
            raise ValueError(f"{self.name!r} has no address; want `addresses`, the first to call")
        for address in self.addresses:
            try:
                refuse_unaddressable(address)
            except AddressRefused as refusal:
                raise ValueError(f"{self.name!r}: {refusal}") from None
        return self

    @property
    def has_second_medium(self) -> bool:
        """Return whether it has addresses of both kinds, HTTPS and mail."""
        return len({mail_address(address) is None for address in self.addresses}) > 1

    def answers_for(self, ground: Ground, last: Position | None) -> bool:
        """Return whether it covers this ground at the last known position."""
        if ground not in self.covers:
            return False
        if not self.areas:
            return True
        return last is not None and any(
            area.holds(last.latitude, last.longitude) for area in self.areas
        )


class RescueCentres(_CentreTable):
    """All centres of an installation, and the telephone of the desk that they call back."""

    desk_telephone: Telephone | None = None
    acknowledge_within_minutes: Annotated[float, Field(gt=0, le=60)] = 5.0
    emergency_number: Telephone = "112"
    mail: MailServer | None = None
    centres: Annotated[tuple[RescueCentre, ...], Field(min_length=1)]

    @field_validator("centres")
    @classmethod
    def _leave_nobody_out(cls, centres: tuple[RescueCentre, ...]) -> tuple[RescueCentre, ...]:
        for ground in ("sea", "land"):
            if not any(ground in each.covers and not each.areas for each in centres):
                raise ValueError(
                    f"want a centre without areas that covers {ground!r}: where no other is near, "
                    "or no position is known, it is called"
                )
        return centres

    @model_validator(mode="after")
    def _has_a_mail_server(self) -> Self:
        for centre in self.centres:
            if not self.mail and any(map(mail_address, centre.addresses)):
                raise ValueError(f"{centre.name!r} is called by mail; want `[mail]`, with a host")
        return self

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the centres of a file; raises TidegateError with every fault."""
        return read_home_file(cls, file, TidegateError, check=_require_addressee)

    @classmethod
    def of_webhook(cls, address: str) -> Self:
        """Return one centre for everything, for a trial; no State is set."""
        centre = RescueCentre(
            name="the rescue webhook",
            receives_for_state=None,
            brings_to_place_of_safety=True,
            addresses=(address,),
            covers=("sea", "land"),
        )
        return cls(centres=(centre,))

    def centre_for(self, mode: Mode, last: Position | None) -> RescueCentre:
        """Return the first centre whose area contains the position, else a general one."""
        able = [each for each in self.centres if each.answers_for(GROUND[mode], last)]
        # Never empty: every file has a centre without areas for sea and for land.
        return next((each for each in able if each.areas), able[0])


def rescue_centres(file: Path, webhook: str | None) -> RescueCentres | None:
    """Return the centres of the file, or of a trial's webhook; None without either."""
    if file.exists():
        return RescueCentres.read(file)
    return RescueCentres.of_webhook(webhook) if webhook else None


def require_rescue_centres(file: Path) -> RescueCentres:
    """Return the centres for live use; raises TidegateError if there is no file."""
    if not file.exists():
        raise TidegateError(
            f"live use needs {file}: whom to call when lives are at risk (docs/rescue.md)"
        )
    return RescueCentres.read(file)


def _require_addressee(tables: dict[str, Any]) -> None:
    """Raise ValueError for a centre that does not state where it brings people."""
    # Checked before the schema, whose message would not tell an operator what is missing.
    centres = tables.get("centres")
    for centre in centres if isinstance(centres, list) else ():
        name = centre.get("name", "a centre without a name")
        if not isinstance(centre.get("receives_for_state"), str):
            raise ValueError(
                f"{name!r} names no State that receives people; want `receives_for_state`"
            )
        if centre.get("brings_to_place_of_safety") is not True:
            raise ValueError(
                f"{name!r} is no addressee: want `brings_to_place_of_safety = true`, which no "
                "authority has that pushes or pulls people back"
            )


def refuse_unaddressable(address: str) -> None:
    """Raise AddressRefused unless it is a safe web address or a single mailbox."""
    if not address.startswith(BY_MAIL):
        refuse_unsafe(address)
    elif mail_address(address) is None:
        raise AddressRefused("want one mailbox as mailto:name@host")


def _is_inside(polygon: tuple[Point, ...], latitude: float, longitude: float) -> bool:
    """Return whether a ray to the east crosses a polygon's sides an odd number of times."""
    inside = False
    for (lat_1, lon_1), (lat_2, lon_2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (lat_1 > latitude) != (lat_2 > latitude):
            crossing = lon_1 + (latitude - lat_1) / (lat_2 - lat_1) * (lon_2 - lon_1)
            inside ^= longitude < crossing
    return inside
