"""Network: the parties that a subject's own parties were linked to before it was declared.

A subject links its parties, those of its journey, and third parties that pay for it or are paid.
The partners of its parties, and their partners, are its network. Hubs, which deal with many others,
are left out, since they link anyone with anyone. Results of inspections count from the instant at
which they became known; those of its own parties alone are in `prior_outcomes`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from features.definition import (
    MAX_AGE_DAYS,
    Feature,
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    line_of_caller,
    make_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio, smoothed_rate
from features.engine.windows.window_declaration import Window, count, network, total
from features.networks.links import asking_columns
from features.publications import PRACTICE
from features.records import SubjectKind


def _value(kind: SubjectKind, value: str) -> Any:
    return network(value, by=asking_columns(kind))


def _confirmed_rate(kind: SubjectKind, partners: str) -> Callable[..., Column]:
    """Return a function for the smoothed share of confirmed ones among inspected partners."""

    def rate(
        confirmed: Column = _value(kind, f"{partners}_confirmed"),
        inspected: Column = _value(kind, f"{partners}_inspected"),
        all_confirmed: Column = total(f"{kind}_outcomes", "is_confirmed", by=()),
        all_inspected: Column = count(f"{kind}_outcomes", by=()),
    ) -> Column:
        return smoothed_rate(confirmed, inspected, all_confirmed, all_inspected)

    return rate


def _new_ratio(kind: SubjectKind) -> Callable[..., Column]:
    def new_ratio(
        new: Column = _value(kind, "members_new_30d"), members: Column = _value(kind, "members")
    ) -> Column:
        return ratio(new, members)

    return new_ratio


def _age(kind: SubjectKind) -> Callable[..., Column]:
    def age_days(days: Column = _value(kind, "days_since_first_link")) -> Column:
        return np.minimum(days, MAX_AGE_DAYS)

    return age_days


def _network(
    name: str,
    kind: SubjectKind,
    computed: Window | Callable[..., Column],
    meaning: str,
    **face: Any,
) -> Feature:
    return make_feature(
        name,
        meaning,
        (lambda value=computed: value) if isinstance(computed, Window) else computed,
        family="network",
        # The caller of the caller: the feature is defined where `hops`, `rate` and the like are
        # called.
        defined_at=line_of_caller(2),
        subjects=(kind,),
        source=PRACTICE,
        **face,
    )


def hops(name: str, kind: SubjectKind) -> Feature:
    """Return the distance to the nearest party of a confirmed case."""
    its = ITS_PARTIES[kind]
    return _network(
        name,
        kind,
        _value(kind, "hops_to_confirmed"),
        f"Steps from {its} to the nearest party of a case that an inspection confirmed: 1 if one "
        "of these was, 2 if a partner of theirs was, 3 if a partner of partners was. Few steps "
        "are suspicious: networks use the same firms and vehicles again.",
        unit=Unit.COUNT,
        when_missing="nobody within three steps was part of a confirmed case",
        indicator="N05",
        shows_from=2,
        sentence=f"from {its} to a party of a confirmed case it is {{value}} steps",
        sentence_of_one=f"one of {its} was part of a confirmed case",
        direction=MonotoneConstraint.LOWER_IS_RISKIER,
    )


def rate(name: str, kind: SubjectKind, partners: str, of: str) -> Feature:
    """Return the share of confirmed ones among partners; `of` says whose partners."""
    whose = f"{of} {ITS_PARTIES[kind]}"
    return _network(
        name,
        kind,
        _confirmed_rate(kind, partners),
        f"How many {whose} were part of a case that an inspection confirmed, among those that "
        "were inspected. A high share is suspicious; few inspections are drawn to the rate of "
        "all.",
        unit=Unit.SHARE,
        when_missing="nobody among them was inspected yet",
        indicator="N05",
        sentence=f"inspected {whose} that were part of confirmed cases: {{confirmed}} of "
        "{inspected} (estimated rate {value})",
        sentence_of_few=f"inspected {whose} that were part of confirmed cases: {{confirmed}} of "
        "{inspected}",
        direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    )


def members(name: str, kind: SubjectKind) -> Feature:
    """Return the size of the network."""
    its = ITS_PARTIES[kind]
    return _network(
        name,
        kind,
        _value(kind, "members"),
        f"Partners of {its}, and partners of these, of which at most 16 each are counted. Neither "
        "many nor few are suspicious by themselves; they set the scale.",
        unit=Unit.COUNT,
        when_missing="never; parties without partners have 0",
        indicator=None,
        sentence=f"{its} have {{value}} partners and partners of partners",
        sentence_of_one=f"{its} have one partner",
        sentence_of_none=f"{its} have no partners yet",
    )


def new_members(name: str, kind: SubjectKind) -> Feature:
    """Return the share of the network that was first linked in 30 days."""
    its = ITS_PARTIES[kind]
    return _network(
        name,
        kind,
        _new_ratio(kind),
        f"Share of the network around {its} that was first linked to it in 30 days. A high share "
        "is suspicious: a network that grows fast.",
        unit=Unit.SHARE,
        when_missing="they have no partners yet",
        indicator="N04",
        warns=SuspiciousSide.HIGH,
        sentence=f"members of the network around {its} new in 30 days: {{new}} of {{members}}",
    )


def age(name: str, kind: SubjectKind) -> Feature:
    """Return the age of the network."""
    its = ITS_PARTIES[kind]
    return _network(
        name,
        kind,
        _age(kind),
        f"Days since the first of the links that hold the network around {its} together, "
        "365 at most. Few are mildly suspicious: firms and vehicles that were brought together "
        "lately.",
        unit=Unit.DAYS_UP_TO_YEAR,
        when_missing="they have no partners yet",
        indicator="N04",
        warns=SuspiciousSide.LOW,
        sentence=f"the network around {its} is {{value}} old",
    )


def unlinked_pairs(name: str, kind: SubjectKind) -> Feature:
    """Return the number of new links among parties that are known."""
    its = ITS_PARTIES[kind]
    return _network(
        name,
        kind,
        _value(kind, "unlinked_pairs"),
        f"Pairs of {its} that both had partners before, but never each other. Many are mildly "
        "suspicious: parties of different networks that suddenly work together.",
        unit=Unit.COUNT,
        when_missing="fewer than two of them had partners before",
        indicator="N04",
        warns=SuspiciousSide.HIGH,
        sentence=f"{{value}} pairs of {its}, known before, never worked together",
        sentence_of_one=f"one pair of {its}, known before, never worked together",
        sentence_of_none=f"those of {its} that had partners before all worked together",
    )


ITS_PARTIES: dict[SubjectKind, str] = {
    "route": "its carrier, conveyance and payers",
    "shipment": "its parties",
}
OF, OF_THOSE = "partners of", "partners of the partners of"

confirmed_hop_count = hops("confirmed_hop_count", "shipment")
partner_confirmed_rate = rate("partner_confirmed_rate", "shipment", "partners", OF)
second_partner_confirmed_rate = rate(
    "second_partner_confirmed_rate", "shipment", "second_partners", OF_THOSE
)
network_member_count = members("network_member_count", "shipment")
network_new_member_ratio = new_members("network_new_member_ratio", "shipment")
network_age_days = age("network_age_days", "shipment")
unlinked_pair_count = unlinked_pairs("unlinked_pair_count", "shipment")
route_confirmed_hop_count = hops("route_confirmed_hop_count", "route")
route_partner_confirmed_rate = rate("route_partner_confirmed_rate", "route", "partners", OF)
route_second_partner_confirmed_rate = rate(
    "route_second_partner_confirmed_rate", "route", "second_partners", OF_THOSE
)
route_network_member_count = members("route_network_member_count", "route")
route_network_new_member_ratio = new_members("route_network_new_member_ratio", "route")
route_network_age_days = age("route_network_age_days", "route")
route_unlinked_pair_count = unlinked_pairs("route_unlinked_pair_count", "route")
