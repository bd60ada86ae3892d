"""What is sent to Tidegate and what it answers, as its description says.

Made of it: `python -m tests.clients.models_module`. What a later release answers beside is kept.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Sent(BaseModel):
    """Base of what is sent: no field may be misspelt."""

    model_config = ConfigDict(extra="forbid")


class Answered(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


Peers = Literal["all", "goods_code", "corridor"] | str


class AttachedDocument(Sent):
    """A document inside a submission: the subject may be left out."""

    document_id: str
    kind: Literal[
        "manifest",
        "bill_of_lading",
        "air_waybill",
        "invoice",
        "packing_list",
        "certificate_of_origin",
        "permit",
        "transit",
        "security_checklist",
    ]
    received_at: AwareDatetime
    subject_kind: Literal["route", "shipment"] | None = None
    subject_id: str | None = None
    number: str | None = None
    version: int | None = None
    issuer_id: str | None = None
    issued_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    consignor_id: str | None = None
    consignee_id: str | None = None
    gross_mass_kg: float | None = None
    packages: int | None = None
    value: float | None = None
    currency: str | None = None
    container_number: str | None = None
    seal_number: str | None = None
    withdrawn: bool | None = None


class AttachedEvent(Sent):
    """An event inside a submission: the subject may be left out."""

    event_id: str
    kind: Literal[
        "departed",
        "arrived",
        "loaded",
        "discharged",
        "gate_in",
        "gate_out",
        "stuffed",
        "stripped",
        "transit_opened",
        "transit_discharged",
    ]
    occurred_at: AwareDatetime
    known_at: AwareDatetime
    subject_kind: Literal["route", "shipment"] | None = None
    subject_id: str | None = None
    place: str | None = None
    container_number: str | None = None
    time_limit_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class AttachedGoodsItem(Sent):
    """A goods item inside a submitted shipment, whose id may be left out."""

    number: int
    commodity_code: str
    shipment_id: str | None = None
    nomenclature: (
        Literal[
            "hs",
            "cn",
            "taric",
            "uk_tariff",
            "htsus",
            "schedule_b",
            "ncm",
            "ahtn",
            "itc_hs",
            "tn_ved",
        ]
        | None
    ) = None
    description: str | None = None
    origin_country: str | None = None
    gross_mass_kg: float | None = None
    net_mass_kg: float | None = None
    value: float | None = None
    currency: str | None = None
    packages: int | None = None
    known_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class AttachedTransaction(Sent):
    """A transaction inside a submission: the subject may be left out."""

    transaction_id: str
    payer_id: str
    payee_id: str
    amount: float
    currency: str
    method: Literal[
        "bank_transfer", "card", "cash", "money_service", "virtual_asset", "trade_credit", "netting"
    ]
    paid_at: AwareDatetime
    known_at: AwareDatetime
    subject_kind: Literal["route", "shipment"] | None = None
    subject_id: str | None = None
    payer_country: str | None = None
    payee_country: str | None = None
    purpose: Literal["goods", "freight", "deposit", "release", "other"] | None = None
    payer_iban_valid: bool | None = None
    version: int | None = None
    withdrawn: bool | None = None


class Document(Sent):
    """One version of a document filed for a subject."""

    document_id: str
    subject_kind: Literal["route", "shipment"]
    subject_id: str
    kind: Literal[
        "manifest",
        "bill_of_lading",
        "air_waybill",
        "invoice",
        "packing_list",
        "certificate_of_origin",
        "permit",
        "transit",
        "security_checklist",
    ]
    received_at: AwareDatetime
    number: str | None = None
    version: int | None = None
    issuer_id: str | None = None
    issued_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    consignor_id: str | None = None
    consignee_id: str | None = None
    gross_mass_kg: float | None = None
    packages: int | None = None
    value: float | None = None
    currency: str | None = None
    container_number: str | None = None
    seal_number: str | None = None
    withdrawn: bool | None = None


class Event(Sent):
    """Something that happened to a subject on its way, as a terminal, carrier or office reports
    it."""

    event_id: str
    subject_kind: Literal["route", "shipment"]
    subject_id: str
    kind: Literal[
        "departed",
        "arrived",
        "loaded",
        "discharged",
        "gate_in",
        "gate_out",
        "stuffed",
        "stripped",
        "transit_opened",
        "transit_discharged",
    ]
    occurred_at: AwareDatetime
    known_at: AwareDatetime
    place: str | None = None
    container_number: str | None = None
    time_limit_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class GoodsItem(Sent):
    """One item of the goods of a shipment, under its own commodity code."""

    shipment_id: str
    number: int
    commodity_code: str
    nomenclature: (
        Literal[
            "hs",
            "cn",
            "taric",
            "uk_tariff",
            "htsus",
            "schedule_b",
            "ncm",
            "ahtn",
            "itc_hs",
            "tn_ved",
        ]
        | None
    ) = None
    description: str | None = None
    origin_country: str | None = None
    gross_mass_kg: float | None = None
    net_mass_kg: float | None = None
    value: float | None = None
    currency: str | None = None
    packages: int | None = None
    known_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class Journey(Sent):
    """One movement of one conveyance, scored as a route with its legs."""

    journey_id: str
    mode: Literal["sea", "air", "road", "rail", "inland_waterway"]
    carrier_id: str
    conveyance_id: str
    conveyance_kind: Literal[
        "container_ship",
        "general_cargo",
        "tanker",
        "fishing_vessel",
        "small_craft",
        "rigid_craft",
        "inflatable_craft",
        "truck",
        "van",
        "coach",
        "train",
        "aircraft",
    ]
    origin: str
    destination: str
    declared_at: AwareDatetime
    due_at: AwareDatetime
    registration_country: str | None = None
    booked_at: AwareDatetime | None = None
    departed_at: AwareDatetime | None = None
    certified_capacity: int | None = None
    persons_on_board: int | None = None
    declared_cargo_mass_kg: float | None = None
    hire_started_at: AwareDatetime | None = None
    hire_return_location: str | None = None
    imo_number: str | None = None
    mmsi: str | None = None
    call_sign: str | None = None
    plate_number: str | None = None
    cargo_unit: Literal["reefer", "tank", "box", "open"] | None = None
    known_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class Leg(Sent):
    """One stretch of a journey between two places; planned where `arrived_at` is empty."""

    journey_id: str
    sequence: int
    origin: str
    destination: str
    mode: Literal["sea", "air", "road", "rail", "inland_waterway"] | None = None
    departed_at: AwareDatetime | None = None
    arrived_at: AwareDatetime | None = None
    known_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None


class Outcome(Sent):
    """What an inspection found. A subject without one has no label; it is never a negative."""

    subject_kind: Literal["route", "shipment"]
    subject_id: str
    selected_by: Literal["model", "rule", "random", "intelligence", "discretion"]
    inspected_at: AwareDatetime
    known_at: AwareDatetime
    result: Literal[
        "confirmed",
        "not_confirmed",
        "other_offence",
        "inconclusive",
        "documents_in_order",
        "documents_irregular",
    ]
    selection_probability: float | None = None
    is_inspected_at_stated: bool | None = None
    typology: str | None = None
    offences: str | None = None
    found_mass_kg: float | None = None
    found_items: int | None = None
    found_persons: int | None = None
    examination: Literal["physical", "scan", "documents", "canine", "post_clearance"] | None = None
    depth: Literal["full", "partial"] | None = None
    withdrawn: bool | None = None


class Position(Sent):
    """Where the conveyance of a journey was heard."""

    journey_id: str
    observed_at: AwareDatetime
    latitude: float
    longitude: float
    speed_kn: float | None = None
    course_degrees: float | None = None
    error_radius_m: float | None = None
    is_distress: bool | None = None
    source: str | None = None


class RecordsBody(Sent):
    """Records of any of the types, at most 5,000 together."""

    journeys: list[Journey] | None = None
    shipments: list[SubmittedShipment] | None = None
    legs: list[Leg] | None = None
    positions: list[Position] | None = None
    goods_items: list[GoodsItem] | None = None
    documents: list[Document] | None = None
    transactions: list[Transaction] | None = None
    events: list[Event] | None = None
    outcomes: list[Outcome] | None = None


class Submission(Sent):
    """A route (a journey with its legs) or a shipment (with its journey where known) to be
    scored."""

    subject_kind: Literal["route", "shipment"]
    shipment: SubmittedShipment | None = None
    journey: Journey | None = None
    as_of: AwareDatetime | None = None
    legs: list[Leg] | None = None
    positions: list[Position] | None = None
    documents: list[AttachedDocument] | None = None
    transactions: list[AttachedTransaction] | None = None
    events: list[AttachedEvent] | None = None


class SubmittedShipment(Sent):
    """A shipment with its goods items, as it is submitted to be scored."""

    shipment_id: str
    consignor_id: str
    consignee_id: str
    origin_country: str
    dispatch_country: str
    destination_country: str
    declared_at: AwareDatetime
    journey_id: str | None = None
    notify_party_id: str | None = None
    forwarder_id: str | None = None
    declarant_id: str | None = None
    hs_code: str | None = None
    goods_description: str | None = None
    office_id: str | None = None
    gross_mass_kg: float | None = None
    net_mass_kg: float | None = None
    volume_m3: float | None = None
    packages: int | None = None
    declared_value: float | None = None
    currency: str | None = None
    tax_rate: float | None = None
    tax_type: str | None = None
    payment_type: str | None = None
    import_type: str | None = None
    container_number: str | None = None
    seal_number: str | None = None
    known_at: AwareDatetime | None = None
    version: int | None = None
    withdrawn: bool | None = None
    items: list[AttachedGoodsItem] | None = None


class Transaction(Sent):
    """One payment linked to a subject."""

    transaction_id: str
    subject_kind: Literal["route", "shipment"]
    subject_id: str
    payer_id: str
    payee_id: str
    amount: float
    currency: str
    method: Literal[
        "bank_transfer", "card", "cash", "money_service", "virtual_asset", "trade_credit", "netting"
    ]
    paid_at: AwareDatetime
    known_at: AwareDatetime
    payer_country: str | None = None
    payee_country: str | None = None
    purpose: Literal["goods", "freight", "deposit", "release", "other"] | None = None
    payer_iban_valid: bool | None = None
    version: int | None = None
    withdrawn: bool | None = None


class ActionAnswer(Answered):
    """The action that was ordered or proposed."""

    kind: Literal["inspect", "check_documents", "hold", "release", "refer"] | str
    text: str
    refer_to: Literal["rescue", "protection", "office", "agency"] | str | None = None
    destination: str | None = None


class BatchLine(Answered):
    """The response for one subject: the body and status that `POST /v1/scores` would return."""

    line: int
    status: int
    answer: ExplainedDecisionAnswer | DecisionAnswer | Problem


class CasePage(Answered):
    """Cases, the newest first; `next` is the cursor of the next page."""

    cases: list[ListedCase]
    next: str | None = None


class CaseScoreAnswer(Answered):
    """One score of the subject of a case; a control case looks like any other inspection."""

    decision_id: str
    scored_at: AwareDatetime
    lane: Literal["rescue", "inspect", "document_check", "post_review", "release", "manual"] | str


class Comparison(Answered):
    """How a value compares: `how`, with the share (0 to 1) and the bounds that it speaks of."""

    how: (
        Literal[
            "missing",
            "same",
            "about_the_same",
            "unseen",
            "never_present",
            "others_equal",
            "below_all",
            "or_more",
            "between",
            "or_less",
            "above_all",
        ]
        | str
    )
    among: Peers = "all"
    share: float | None = None
    low: float | None = None
    high: float | None = None
    percentile: float | None = None


class CountedCasesAnswer(Answered):
    """Cases that a gate decides from: `known` ones of a period, and `needed`; null if unknown."""

    kind: str
    known: int
    needed: int | None = None
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None


class DecisionAnswer(Answered):
    """A decision: an offer of attention, not a verdict. A person decides what happens."""

    decision_id: str
    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    scored_at: AwareDatetime
    lane: (
        Literal[
            "rescue", "inspect", "control", "document_check", "post_review", "release", "manual"
        ]
        | str
    )
    lane_reason: Literal["life_at_risk", "watch_list", "rule", "score", "random", "no_score"] | str
    selection_probability: float
    missing: list[str]
    unseen: list[str]
    is_history_missing: bool
    model: ModelRef | None = None
    probability: float | None = None
    percentile: float | None = None
    unscored: Literal["switched_off", "no_model", "declared_ahead"] | str | None = None
    as_of: AwareDatetime | None = None
    case_id: str | None = None
    rescores: str | None = None
    because: list[str] = []


class DecisionPage(Answered):
    """Decisions, the newest first; `next` is the cursor of the next page."""

    decisions: list[DecisionAnswer]
    next: str | None = None


class EarlierFind(Answered):
    """An earlier subject that an inspection confirmed, linked by a party."""

    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    known_at: AwareDatetime
    party_id: str
    decision_id: str | None = None
    case_id: str | None = None


class ElementsOfPath(Answered):
    """Elements at one path that no record holds; `first` is the place of the first one."""

    path: str
    why: str
    count: int
    first: str


class EntityAnswer(Answered):
    """A party, container or conveyance; `token` is its key in addresses and names nobody."""

    kind: Literal["party", "container", "conveyance"] | str
    token: str
    value: str


class EstimateAnswer(Answered):
    """A figure with its 95 % interval; null where too little is known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class EstimateRange(Answered):
    """The range of probabilities that inspections are consistent with."""

    low: float
    high: float


class EventPage(Answered):
    """Events in order; send `next` as `after` to get the next page."""

    events: list[PublishedEvent]
    has_more: bool
    next: str | None = None


class ExplainedDecisionAnswer(Answered):
    """A decision with its explanation, for callers with the scope `explain`."""

    log_odds: float
    base_log_odds: float
    estimate_range: EstimateRange
    estimate_in_words: str
    inspected: Inspected
    is_unlike_training: bool
    outside_training: list[str]
    reasons: list[Reason]
    unweighted: list[UnweightedFact]
    remainder: Remainder
    habits: Habits
    contributions: list[FeatureContribution]
    decision_id: str
    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    scored_at: AwareDatetime
    lane: (
        Literal[
            "rescue", "inspect", "control", "document_check", "post_review", "release", "manual"
        ]
        | str
    )
    lane_reason: Literal["life_at_risk", "watch_list", "rule", "score", "random", "no_score"] | str
    selection_probability: float
    missing: list[str]
    unseen: list[str]
    is_history_missing: bool
    model: ModelRef | None = None
    probability: float | None = None
    percentile: float | None = None
    unscored: Literal["switched_off", "no_model", "declared_ahead"] | str | None = None
    as_of: AwareDatetime | None = None
    case_id: str | None = None
    rescores: str | None = None
    because: list[str] = []


class ExplanationAnswer(Answered):
    """The explanation of a stored decision."""

    log_odds: float
    base_log_odds: float
    estimate_range: EstimateRange
    estimate_in_words: str
    inspected: Inspected
    is_unlike_training: bool
    outside_training: list[str]
    reasons: list[Reason]
    unweighted: list[UnweightedFact]
    remainder: Remainder
    habits: Habits
    contributions: list[FeatureContribution]
    decision_id: str
    model: ModelRef
    probability: float
    percentile: float
    language: str
    families: dict[str, float]
    indicators: dict[str, float]
    provenance: list[FeatureProvenance]
    missing: list[str]
    missing_in_words: list[str]
    unseen: list[str]
    missing_input_effects: list[MissingInputEffect] | None = None
    interactions: list[Interaction] | None = None


class FaultOut(Answered):
    """One fault: where, the rule that it breaks, and the rule in words."""

    pointer: str
    code: str
    detail: str


class FeatureAnswer(Answered):
    """A feature: its meaning, its source, and its place in the code."""

    name: str
    subjects: list[Literal["route", "shipment"] | str]
    family: str
    meaning: str
    unit: str
    reads: list[str]
    when_missing: str
    warns: Literal["high", "low", "either", "never"] | str
    sign_of: str
    source: str
    direction: Literal["higher_is_riskier", "lower_is_riskier", "either"] | str
    sentence: str
    among: Literal["all", "goods_code", "corridor"] | str
    defined_at: str
    computation: dict[str, str]
    indicator: str | None = None
    check: str | None = None
    known_by: str | None = None


class FeatureContribution(Answered):
    """One feature's value and its exact part of the log-odds."""

    feature: str
    contribution: float
    value: float | str | None = None


class FeatureProvenance(Answered):
    """The provenance of one feature of a reason: declared fields, records and earlier events."""

    feature: str
    declared: list[str]
    records: dict[str, list[str]]
    earlier_events: list[HistoryWindow]
    finds: list[EarlierFind]
    finds_not_shown: int
    words: list[str]


class FeaturesAnswer(Answered):
    """The catalogue, in the order in which models read it."""

    features: list[FeatureAnswer]


class FieldPlace(Answered):
    """The place of a field in the message; no line if it is not stored or came as an option."""

    place: str
    line: int | None = None


class GateAnswer(Answered):
    """The verdict of one gate at promotion, whether people waived it or a trial does without."""

    gate: str
    verdict: Literal["passed", "refused", "undecided"] | str
    reason: str
    is_waived: bool
    not_required_in: str | None = None
    cases: CountedCasesAnswer | None = None


class Habits(Answered):
    """What the model adds for values that are no indicator: how many, and the exact sum."""

    features: int
    log_odds: float
    raises: float
    lowers: float
    named: dict[str, float] | None = None


class HistoryWindow(Answered):
    """Earlier events with the same values in these fields; `days` is null for all history."""

    source: str
    by: list[str]
    days: int | None = None


class Inspected(Answered):
    """Traffic of the nearest scores that was inspected, in the window that the model was judged
    on."""

    least: float
    most: float
    subjects: int
    confirmed: int
    low: float
    high: float
    expected: float | None = None


class Interaction(Answered):
    """What two features of different indicators add together, beyond what each adds alone."""

    features: list[Any]
    effect: Literal["for", "against"] | str
    strength: Literal["strong", "moderate", "weak"] | str
    log_odds: float
    words: str


class LengthsOfLists(Answered):
    """The total length of each list, of which a response holds one page."""

    not_made: int
    left_over: int
    withheld: int
    remarks: int


class ListedCase(Answered):
    """A case of a list; `matched` says why a search found it and is empty without a search."""

    case_id: str
    status: (
        Literal[
            "open",
            "assigned",
            "waiting",
            "action_proposed",
            "action_ordered",
            "result_in",
            "closed",
        ]
        | str
    )
    is_view_needed: bool
    is_reopening_proposed: bool
    is_escalated: bool
    tags: list[str]
    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    lane: Literal["rescue", "inspect", "document_check", "post_review"] | str
    due_at: AwareDatetime
    opened_at: AwareDatetime
    what: str
    owner: str | None = None
    owner_id: str | None = None
    team: str | None = None
    waiting_until: AwareDatetime | None = None
    waiting_for: Literal["documents", "reply", "arrival", "other"] | str | None = None
    action: ActionAnswer | None = None
    result: (
        Literal[
            "goods_found",
            "persons_found",
            "other_offence",
            "documents_irregular",
            "documents_in_order",
            "nothing_found",
            "inconclusive",
            "not_carried_out",
            "people_helped",
            "nobody_in_danger",
            "nobody_found",
            "taken_over_elsewhere",
            "handed_to_protection",
            "same_incident",
        ]
        | str
        | None
    ) = None
    proposed_by: str | None = None
    proposed_action: ActionAnswer | None = None
    proposed_result: (
        Literal[
            "goods_found",
            "persons_found",
            "other_offence",
            "documents_irregular",
            "documents_in_order",
            "nothing_found",
            "inconclusive",
            "not_carried_out",
            "people_helped",
            "nobody_in_danger",
            "nobody_found",
            "taken_over_elsewhere",
            "handed_to_protection",
            "same_incident",
        ]
        | str
        | None
    ) = None
    declaration_amended_at: AwareDatetime | None = None
    declaration_withdrawn_at: AwareDatetime | None = None
    office_id: str | None = None
    mode: str | None = None
    matched: list[MatchedTerm] = []


class MadeDecision(Answered):
    """The decision about a journey or a shipment of the message."""

    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    decision_id: str
    lane: (
        Literal[
            "rescue", "inspect", "control", "document_check", "post_review", "release", "manual"
        ]
        | str
    )
    case_id: str | None = None


class MatchedTerm(Answered):
    """An identifier that begins with the search term, and its role in the case."""

    names: list[str]
    value: str


class MessageAnswer(Answered):
    """The result of a stored message; all of it is durable."""

    message_id: str
    format: str
    standard: str
    kind: str
    sender_reference: str
    sha256: str
    records: dict[str, int]
    positions: list[PositionOfJourney]
    decisions: list[MadeDecision]
    not_made: list[RecordNotMade]
    left_over: list[ElementsOfPath]
    withheld: list[ElementsOfPath]
    remarks: list[str]
    counts: LengthsOfLists
    next: str | None = None


class MissingInputEffect(Answered):
    """The range in which nine in ten real rows that had this input would put the probability."""

    input: str
    words: str
    rows: int
    low: float | None = None
    high: float | None = None


class ModelAnswer(Answered):
    """A model in service: the champion scores, the others score in parallel without effect."""

    role: Literal["champion", "challenger", "shadow"] | str
    subject_kind: Literal["route", "shipment"] | str
    name: str
    version: str
    digest: str
    catalogue: str
    trained_on: dict[str, TrainingPeriod]
    training_set_digest: str
    metrics: dict[str, EstimateAnswer]
    verdicts: list[GateAnswer]


class ModelRef(Answered):
    """The model that answered; a version has one digest and reads one catalogue."""

    name: str
    version: str
    digest: str
    catalogue: str


class ModelsAnswer(Answered):
    """The models in service; of each kind the champion first."""

    models: list[ModelAnswer]


class Observation(Answered):
    """One feature within a reason: this case's value, what is usual, and its exact part."""

    feature: str
    sentence: str
    usual: str
    comparison: Comparison
    contribution: float
    value: float | str | None = None


class OrderedAction(Answered):
    """An ordered action, without the officer's words."""

    kind: Literal["inspect", "check_documents", "hold", "release", "refer"] | str
    refer_to: Literal["rescue", "protection", "office", "agency"] | str | None = None
    destination: str | None = None


class PositionOfJourney(Answered):
    """The place of a position in the message, and the journey it belongs to."""

    place: str
    journey_id: str


class Problem(Answered):
    """What went wrong, as RFC 9457 says it; `errors` is empty where no field is to blame."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FaultOut]
    error: str = ""


class PublishedEvent(Answered):
    """One thing that became of a case, as other systems get it."""

    id: str
    type: (
        Literal[
            "tidegate.case.opened",
            "tidegate.case.score_appended",
            "tidegate.case.assigned",
            "tidegate.case.given_back",
            "tidegate.case.waiting",
            "tidegate.case.escalated",
            "tidegate.case.action_ordered",
            "tidegate.case.action_withdrawn",
            "tidegate.case.result_stated",
            "tidegate.case.closed",
            "tidegate.case.reopened",
            "tidegate.case.declaration_amended",
            "tidegate.case.declaration_withdrawn",
        ]
        | str
    )
    time: AwareDatetime
    case_id: str
    subject_kind: Literal["route", "shipment"] | str
    decision_id: str
    content: Literal["whole", "masked", "erased"] | str
    subject_id: str | None = None
    office_id: str | None = None
    lane: (
        Literal["rescue", "inspect", "document_check", "post_review", "release", "manual"]
        | str
        | None
    ) = None
    action: OrderedAction | None = None
    result: (
        Literal[
            "goods_found",
            "persons_found",
            "other_offence",
            "documents_irregular",
            "documents_in_order",
            "nothing_found",
            "inconclusive",
            "not_carried_out",
            "people_helped",
            "nobody_in_danger",
            "nobody_found",
            "taken_over_elsewhere",
            "handed_to_protection",
            "same_incident",
        ]
        | str
        | None
    ) = None
    waiting_until: AwareDatetime | None = None
    waiting_for: Literal["documents", "reply", "arrival", "other"] | str | None = None


class QueuePage(Answered):
    """A page of the queue; `next` is the cursor of the next page."""

    cases: list[QueuedCase]
    next: str | None = None


class QueuedCase(Answered):
    """A case as the queue shows it; a control case looks like any other inspection."""

    case_id: str
    subject_kind: str
    subject_id: str
    lane: Literal["rescue", "inspect", "document_check", "post_review"] | str
    status: str
    due_at: AwareDatetime
    opened_at: AwareDatetime
    is_in_time: bool
    office_id: str | None = None
    mode: str | None = None
    owner: str | None = None
    owner_id: str | None = None
    declaration_amended_at: AwareDatetime | None = None
    declaration_withdrawn_at: AwareDatetime | None = None


class Reason(Answered):
    """What one indicator says about this case; `log_odds` is the exact sum of its evidence."""

    indicator: str
    topic: str
    family: str
    effect: Literal["for", "against"] | str
    strength: Literal["strong", "moderate", "weak"] | str
    log_odds: float
    words: str
    evidence: list[Observation]
    sign_of: str | None = None
    check: str | None = None


class RecordNotMade(Answered):
    """A record that is not made, and why: too little data, or a withdrawal of unknown data."""

    record_type: str
    place: str
    reasons: list[str]


class RecordOfMessage(Answered):
    """A record made from the message, with the place of each field."""

    record_type: str
    record_id: str
    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    fields: dict[str, FieldPlace]


class RecordsAnswer(Answered):
    """The result for the records: newly stored, already known, and faults of the others."""

    accepted: int
    repeated: int
    not_scored: list[str]
    errors: list[FaultOut]


class Remainder(Answered):
    """All that is too weak to be named: how many features, and the exact sum of their parts."""

    features: int
    log_odds: float


class StoredMessage(Answered):
    """A stored message, as far as this key may see it."""

    message_id: str
    received_at: AwareDatetime
    format: str
    standard: str
    kind: str
    sender_reference: str
    sha256: str
    size_bytes: int
    records: dict[str, int]
    made: list[RecordOfMessage]
    not_made: list[RecordNotMade]
    left_over: list[ElementsOfPath]
    withheld: list[ElementsOfPath]
    remarks: list[str]
    counts: LengthsOfLists
    text: str
    hidden_line_count: int
    next: str | None = None


class TrainingPeriod(Answered):
    """A period of declarations, with their labels, that a model was fitted or evaluated on."""

    begins: AwareDatetime
    ends: AwareDatetime
    labelled: int
    confirmed: int


class UnweightedFact(Answered):
    """An uncommon fact worth a check to which the score gives no weight, or weight against."""

    indicator: str
    sign_of: str
    feature: str
    sentence: str
    usual: str
    words: str
    comparison: Comparison
    check: str
    value: float | str | None = None


class WholeCase(Answered):
    """A case with every score of its subject, the newest last, and the entities it names."""

    case_id: str
    status: (
        Literal[
            "open",
            "assigned",
            "waiting",
            "action_proposed",
            "action_ordered",
            "result_in",
            "closed",
        ]
        | str
    )
    is_view_needed: bool
    is_reopening_proposed: bool
    is_escalated: bool
    tags: list[str]
    subject_kind: Literal["route", "shipment"] | str
    subject_id: str
    lane: Literal["rescue", "inspect", "document_check", "post_review"] | str
    due_at: AwareDatetime
    opened_at: AwareDatetime
    what: str
    revision: int
    scores: list[CaseScoreAnswer]
    entities: list[EntityAnswer]
    owner: str | None = None
    owner_id: str | None = None
    team: str | None = None
    waiting_until: AwareDatetime | None = None
    waiting_for: Literal["documents", "reply", "arrival", "other"] | str | None = None
    action: ActionAnswer | None = None
    result: (
        Literal[
            "goods_found",
            "persons_found",
            "other_offence",
            "documents_irregular",
            "documents_in_order",
            "nothing_found",
            "inconclusive",
            "not_carried_out",
            "people_helped",
            "nobody_in_danger",
            "nobody_found",
            "taken_over_elsewhere",
            "handed_to_protection",
            "same_incident",
        ]
        | str
        | None
    ) = None
    proposed_by: str | None = None
    proposed_action: ActionAnswer | None = None
    proposed_result: (
        Literal[
            "goods_found",
            "persons_found",
            "other_offence",
            "documents_irregular",
            "documents_in_order",
            "nothing_found",
            "inconclusive",
            "not_carried_out",
            "people_helped",
            "nobody_in_danger",
            "nobody_found",
            "taken_over_elsewhere",
            "handed_to_protection",
            "same_incident",
        ]
        | str
        | None
    ) = None
    declaration_amended_at: AwareDatetime | None = None
    declaration_withdrawn_at: AwareDatetime | None = None
    office_id: str | None = None
    mode: str | None = None
