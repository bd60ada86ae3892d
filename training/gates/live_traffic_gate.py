"""Gate: run next to the champion, a model must find as much among those it would select."""

from datetime import date

from training.confidence_intervals import Estimate
from training.gates.non_inferiority import enough_in_words, no_worse_by, units_needed
from training.gates.verdict import Verdict
from training.model.counted_cases import CountedCases

GATE = "live traffic"

# The loss of precision within which a model still counts as no worse: two hits in a hundred.
MARGIN = 0.02


def no_worse_on_live_traffic(gain: Estimate, compared: int, needs: str | None = None) -> Verdict:
    """Return the verdict on `compared` decisions whose results must have arrived.

    `gain` is the difference in the share confirmed among equally many selected; unknown if too few
    results are known where the models select differently, with the gap described in `needs`.
    """
    if gain.value is None or gain.low is None or gain.high is None:
        return Verdict(
            GATE,
            "undecided",
            f"of {compared:,} decisions too few results are known of what the two choose "
            f"differently ({needs or 'more would tell'})",
        )
    needed = units_needed(gain, MARGIN, compared)
    verdict = no_worse_by(gain, MARGIN)
    reason = (
        f"precision among as many chosen differs from the champion's by {gain.value:+.3f} "
        f"({gain.low:+.3f} to {gain.high:+.3f}) over {compared:,} decisions; want an interval "
        f"above {-MARGIN:g} that does not lie below 0"
    )
    if verdict == "undecided":
        reason = f"{reason}; {enough_in_words(gain, MARGIN, compared, 'decisions with results')}"
    cases = CountedCases("decisions with results", compared, needed)
    return Verdict(GATE, verdict, reason, cases=cases)


def too_recent_on_live_traffic(asked: int, until: date) -> Verdict:
    """Return the verdict on `asked` decisions without an inspection that is old enough.

    `until` is the last day whose results must have arrived.
    """
    return Verdict(
        GATE,
        "undecided",
        f"it was asked about {asked:,} decisions, and nobody was chosen for inspection among those "
        f"until {until:%Y-%m-%d}, the last day whose results must have come; results of later "
        "ones would tell",
    )
