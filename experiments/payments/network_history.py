"""Values of a payment from the network of earlier payments, as of its step.

Payments of one step do not see each other. An account's neighbourhood is bounded by time and by
MAX_PAYMENTS, so that a hub costs no more than any other account.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, log, nan

import numpy as np
import pandas as pd

WINDOWS_STEPS = (3, 5, 10, 20)
NEARBY_STEPS = 10
MAX_PAYMENTS = 500
MAX_HOPS, HOP_STEPS, MAX_PAYMENTS_PER_HOP = 5, 8, 60
# Partners added to a share, so that one confirmed partner of one is not a certainty.
SMOOTHING_PARTNERS = 5


@dataclass
class Payments:
    """Payments that one account sent or received, in order of step."""

    steps: list[int] = field(default_factory=list)
    partners: list[int] = field(default_factory=list)
    amounts: list[float] = field(default_factory=list)
    # True for the first payment of a payer to a payee.
    are_new: list[bool] = field(default_factory=list)

    def add(self, step: int, partner: int, amount: float, is_new: bool) -> None:
        """Append a payment that is no earlier than the last."""
        self.steps.append(step)
        self.partners.append(partner)
        self.amounts.append(amount)
        self.are_new.append(is_new)

    def between(self, begin: int, end: int) -> range:
        """Return the places of payments from step `begin` until before step `end`."""
        last = bisect_left(self.steps, end)
        return range(max(bisect_left(self.steps, begin), last - MAX_PAYMENTS), last)


class NetworkHistory:
    """All payments of a table, read as of a step.

    `sees_future` makes every window reach as far ahead as back, and includes payments of the same
    step: the leak that many published figures contain. It is there to be measured.
    """

    def __init__(self, table: pd.DataFrame, label_delay_steps: int, *, sees_future: bool = False):
        self._sent: dict[int, Payments] = defaultdict(Payments)
        self._received: dict[int, Payments] = defaultdict(Payments)
        self._of_pair: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._confirmed_from: dict[int, list[int]] = defaultdict(list)
        self._sees_future = sees_future
        columns = ("step", "payer", "payee", "amount", "is_laundering")
        for step, payer, payee, amount, label in zip(*(table[c] for c in columns), strict=True):
            pair = self._of_pair[payer, payee]
            self._sent[payer].add(step, payee, amount, not pair)
            self._received[payee].add(step, payer, amount, not pair)
            pair.append(step)
            if label == 1:  # nothing is known of a missing label
                for account in (payer, payee):
                    self._confirmed_from[account].append(step + label_delay_steps)

    def values(self, step: int, payer: int, payee: int, amount: float) -> dict[str, float]:
        """Return the values of one payment by name; a duration without an event is missing."""
        return {
            **self._counts(step, payer, payee),
            **self._pair_history(step, payer, payee),
            **self._flow(step, payer, payee, amount),
            **self._shared_partners(step, payer, payee),
            **self._confirmed(step, payer, payee),
        }

    def _directions(self, payer: int, payee: int) -> Iterator[tuple[str, Payments]]:
        for role, account in (("payer", payer), ("payee", payee)):
            yield f"{role}_sent", self._sent[account]
            yield f"{role}_received", self._received[account]

    def _within(self, payments: Payments, step: int, steps: int) -> range:
        if self._sees_future:
            return payments.between(step - steps, step + steps + 1)
        return payments.between(step - steps, step)

    def _all_before(self, payments: Payments, step: int) -> range:
        return payments.between(-1, 10**9 if self._sees_future else step)

    def _counts(self, step: int, payer: int, payee: int) -> dict[str, float]:
        """Count payments, partners and new partners of both accounts, in both directions."""
        values: dict[str, float] = {}
        for name, payments in self._directions(payer, payee):
            for steps in WINDOWS_STEPS:
                places = self._within(payments, step, steps)
                partners = {payments.partners[at] for at in places}
                values[f"{name}_{steps}_steps"] = len(places)
                values[f"{name}_partners_{steps}_steps"] = len(partners)
                values[f"{name}_new_partners_{steps}_steps"] = sum(
                    payments.are_new[at] for at in places
                )
            places = self._all_before(payments, step)
            values[name] = len(places)
            values[f"{name}_partners"] = len({payments.partners[at] for at in places})
            values[f"steps_since_{name}"] = step - payments.steps[places[-1]] if places else nan
        return values

    def _pair_history(self, step: int, payer: int, payee: int) -> dict[str, float]:
        """Count earlier payments between the two accounts, and the steps since the last."""
        values: dict[str, float] = {}
        for name, pair in (("pair", (payer, payee)), ("reverse_pair", (payee, payer))):
            steps = self._of_pair.get(pair, [])
            earlier = len(steps) if self._sees_future else bisect_left(steps, step)
            values[f"{name}_payments"] = earlier
            values[f"steps_since_{name}"] = step - steps[earlier - 1] if earlier else nan
        return values

    def _flow(self, step: int, payer: int, payee: int, amount: float) -> dict[str, float]:
        """Follow what the payer received, back in time: pass-through, sources and cycles."""
        received = self._received[payer]
        ratios = [
            abs(log(amount / received.amounts[at])) if amount > 0 < received.amounts[at] else inf
            for at in self._within(received, step, NEARBY_STEPS)
        ]
        values = {"pass_through_log_ratio": min(ratios, default=nan), "cycle_hops": 0.0}
        reached = {payer: step}
        for hop in range(1, MAX_HOPS + 1):
            reached = self._sources(reached)
            values[f"sources_{hop}_hops"] = len(reached)
            if payee in reached and not values["cycle_hops"]:
                values["cycle_hops"] = hop + 1
        return values

    def _sources(self, reached: dict[int, int]) -> dict[int, int]:
        """Return who newly paid these accounts shortly before a step, with the latest such step."""
        sources: dict[int, int] = {}
        for account, until in reached.items():
            received = self._received[account]
            for at in received.between(until - HOP_STEPS, until)[-MAX_PAYMENTS_PER_HOP:]:
                if received.are_new[at]:
                    source = received.partners[at]
                    sources[source] = max(received.steps[at], sources.get(source, -1))
        return sources

    def _shared_partners(self, step: int, payer: int, payee: int) -> dict[str, float]:
        """Count accounts that tie payer and payee: common sources, targets and go-betweens."""

        def partners(payments: Payments, steps: int = NEARBY_STEPS) -> set[int]:
            return {payments.partners[at] for at in self._within(payments, step, steps)}

        sources, targets = partners(self._received[payer]), partners(self._sent[payer])
        others = partners(self._received[payee]) - {payer}
        between = partners(self._sent[payer], 20) & partners(self._received[payee], 20)
        return {
            "payers_with_a_common_source": sum(
                not sources.isdisjoint(partners(self._received[other], 20)) for other in others
            ),
            "common_targets": sum(len(targets & partners(self._sent[other])) for other in others),
            "go_betweens": len(between),
            "sources_that_paid_payee": len(sources & others),
        }

    def _confirmed(self, step: int, payer: int, payee: int) -> dict[str, float]:
        """Count payments known as laundering, of both accounts and of their partners."""
        values: dict[str, float] = {}
        for role, account in (("payer", payer), ("payee", payee)):
            known = self._confirmed_from.get(account, [])
            number = self._number_known(account, step)
            values[f"{role}_confirmed"] = number
            values[f"{role}_steps_since_confirmed"] = step - known[number - 1] if number else nan
        for name, payments in self._directions(payer, payee):
            partners = {payments.partners[at] for at in self._all_before(payments, step)}
            confirmed = sum(self._number_known(each, step) > 0 for each in partners)
            values[f"{name}_confirmed_partners_ratio"] = confirmed / (
                len(partners) + SMOOTHING_PARTNERS
            )
            values[f"{name}_new_confirmed_partners"] = sum(
                payments.are_new[at] and self._number_known(payments.partners[at], step) > 0
                for at in self._within(payments, step, 20)
            )
        return values

    def _number_known(self, account: int, step: int) -> int:
        return bisect_right(self._confirmed_from.get(account, ()), step - 1)


def network_values(table: pd.DataFrame, history: NetworkHistory) -> pd.DataFrame:
    """Return one row of values for each payment of a table, in its order."""
    columns = ("step", "payer", "payee", "amount")
    rows = zip(*(table[column].tolist() for column in columns), strict=True)
    values: np.ndarray = np.empty((0, 0))
    names: list[str] = []
    for at, row in enumerate(rows):
        found = history.values(*row)
        if not names:  # one array: a dict for each of millions of payments would fill the memory
            names, values = list(found), np.empty((len(table), len(found)))
        values[at] = list(found.values())
    return pd.DataFrame(values, index=table.index, columns=names)
