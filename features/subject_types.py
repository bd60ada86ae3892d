"""The types of subject, route and shipment: what differs between them, in one place.

A route is a journey with its legs, a shipment one declared consignment with the journey that
carries it. Whatever treats the two differently looks the difference up here.
"""

from dataclasses import dataclass

from features.field_kinds import Party, fields_of_kind
from features.records import Journey, Record, Shipment, SubjectKind


@dataclass(frozen=True, kw_only=True)
class SubjectType:
    """The properties of one type of subject.

    `has_journey`: the columns of the journey that carries it are joined to it, prefixed `journey_`.
    `declares_goods`: its record says what is carried, and documents may differ from that.
    `origin_field`, `departure_field` and `arrival_field` of its record hold a country or a place,
    whose code begins with its country. Documents must be valid until the first known of
    `documents_valid_until`. `experience_feature` counts earlier subjects of its operator.
    `submission_rule` tells callers which records a submission must have.
    """

    kind: SubjectKind
    record: type[Record]
    record_file: str
    id_field: str
    operator_field: str
    corridor_fields: tuple[str, ...]
    country_fields: tuple[str, ...]
    end_country_fields: tuple[str, ...]
    origin_field: str
    departure_field: str
    arrival_field: str
    documents_valid_until: tuple[str, ...]
    experience_feature: str
    has_journey: bool
    declares_goods: bool
    submission_rule: str

    @property
    def submission_field(self) -> str:
        """The field of a submission that holds the subject's own record."""
        return self.record.__name__.lower()

    @property
    def submission_fields(self) -> tuple[str, ...]:
        """The fields of a submission that may hold a record of a subject type: its own first."""
        return (self.submission_field, "journey") if self.has_journey else (self.submission_field,)

    @property
    def journey_prefix(self) -> str:
        """Return what the columns of the subject's journey begin with; nothing where it is the
        journey.
        """
        return "journey_" if self.has_journey else ""

    @property
    def party_fields(self) -> tuple[str, ...]:
        """The fields of its record that name a party."""
        return fields_of_kind(self.record, Party)

    @property
    def mode_field(self) -> str:
        """The subject's column that holds the mode of transport."""
        return f"{self.journey_prefix}mode"

    @property
    def due_field(self) -> str:
        """The subject's column that says when its conveyance is expected at the destination."""
        return f"{self.journey_prefix}due_at"

    @property
    def outcome_source(self) -> str:
        """The source of windows that holds the inspected subjects of this type."""
        return f"{self.kind}_outcomes"

    @property
    def model_name(self) -> str:
        """The name of this type's models in the registry."""
        return f"tidegate-{self.kind}"


SUBJECT_TYPES: dict[SubjectKind, SubjectType] = {
    "route": SubjectType(
        kind="route",
        record=Journey,
        record_file="journeys",
        id_field="journey_id",
        operator_field="carrier_id",
        corridor_fields=("origin", "destination", "mode"),
        country_fields=("origin_country", "destination_country", "registration_country"),
        end_country_fields=("origin_country", "destination_country"),
        origin_field="origin",
        departure_field="origin",
        arrival_field="destination",
        documents_valid_until=("due_at",),
        experience_feature="carrier_journeys",
        has_journey=False,
        declares_goods=False,
        submission_rule="a route is submitted with `journey` and without `shipment`",
    ),
    "shipment": SubjectType(
        kind="shipment",
        record=Shipment,
        record_file="shipments",
        id_field="shipment_id",
        operator_field="consignee_id",
        corridor_fields=("dispatch_country", "destination_country"),
        country_fields=("origin_country", "dispatch_country", "destination_country"),
        end_country_fields=("origin_country", "dispatch_country", "destination_country"),
        origin_field="origin_country",
        departure_field="dispatch_country",
        arrival_field="destination_country",
        documents_valid_until=("journey_due_at", "declared_at"),
        experience_feature="consignee_shipments_365d",
        has_journey=True,
        declares_goods=True,
        submission_rule="a shipment is submitted with `shipment`",
    ),
}
