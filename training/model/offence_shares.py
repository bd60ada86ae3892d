"""Shares of offence classes among finds: over all, and per group shrunk towards all.

A group with few finds is uncertain, so DRAWN_TO_ALL finds with the overall shares are added to its
own. The shares say what a find is likely to be, not how likely a find is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from features.offences import NOT_SMUGGLING, OFFENCES, Offence, offences_in
from training.model.manifest import OffenceShares

DRAWN_TO_ALL = 20.0


def offence_shares(finds: Iterable[tuple[str, str | None]]) -> OffenceShares:
    """Return the shares among confirmed subjects, given as (group, offence classes)."""
    of_all: Counter[Offence] = Counter()
    of_group: dict[str, Counter[Offence]] = defaultdict(Counter)
    named = 0
    for group, codes in finds:
        classes = [each for each in offences_in(codes) if each not in NOT_SMUGGLING]
        named += bool(classes)
        for each in classes:
            of_all[each] += 1 / len(classes)  # type: ignore[assignment]  # a part of a find
            of_group[group][each] += 1 / len(classes)  # type: ignore[assignment]  # as above
    if not named:
        return OffenceShares()
    shares = {each: of_all[each] / named for each in OFFENCES if of_all[each]}
    return OffenceShares(
        finds=named,
        of_all=shares,
        of_group={group: _drawn(counts, shares) for group, counts in sorted(of_group.items())},
    )


def _drawn(counts: Counter[Offence], shares: dict[Offence, float]) -> dict[Offence, float]:
    together = sum(counts.values()) + DRAWN_TO_ALL
    return {
        each: (counts[each] + DRAWN_TO_ALL * share) / together for each, share in shares.items()
    }
