"""The types of subject, route and shipment, and all differences between them.

A route is a journey with its legs; a shipment is one declared consignment with the journey that
carries it. Code that treats the two differently looks up the difference here.
"""

from dataclasses import dataclass

from features.field_kinds import Party, fields_of_kind
from features.records import Journey, Record, Shipment, SubjectKind


@dataclass(frozen=True, kw_only=True)
class SubjectType:
    """The properties of one type of subject.

    `has_journey`: the columns of the journey that carries the subject are joined to it, with the
    prefix `journey_`. `declares_goods`: its record states the goods, and documents may deviate from
    it. `origin_field`, `departure_field` and `arrival_field` hold a country, or a place whose code
    begins with its country. Documents must be valid until the first known of
    `documents_valid_until`. `experience_feature` counts earlier subjects of the operator.
    `submission_rule` is the text that explains which records a submission must have.
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
        """Return the submission field that holds the subject's own record."""
        return self.record.__name__.lower()

    @property
    def submission_fields(self) -> tuple[str, ...]:
        """Return the submission fields that may hold a subject record, its own first."""
        return (self.submission_field, "journey") if self.has_journey else (self.submission_field,)

    @property
    def journey_prefix(self) -> str:
        """Return the prefix of the columns of the subject's journey.

        Empty if the subject is one.
        """
        return "journey_" if self.has_journey else ""

    @property
    def party_fields(self) -> tuple[str, ...]:
        """Return the fields of the record that name a party."""
        return fields_of_kind(self.record, Party)

    @property
    def mode_field(self) -> str:
        """Return the subject's column with the mode of transport."""
        return f"{self.journey_prefix}mode"

    @property
    def due_field(self) -> str:
        """Return the subject's column with the expected arrival at the destination."""
        return f"{self.journey_prefix}due_at"

    @property
    def outcome_source(self) -> str:
        """Return the source of windows with the inspected subjects of this type."""
        return f"{self.kind}_outcomes"

    @property
    def model_name(self) -> str:
        """Return the name of this type's models in the registry."""
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
        # The journey of a shipment may be unknown: then the declaration counts.
        documents_valid_until=("journey_due_at", "declared_at"),
        experience_feature="consignee_shipments_365d",
        has_journey=True,
        declares_goods=True,
        submission_rule="a shipment is submitted with `shipment`",
    ),
}
