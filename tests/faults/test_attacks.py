"""What a stranger or one key does to a service that others use: nothing that they would notice.

`python -m experiments.benchmarks.attacks HOME` is the same as a table.
"""

import pytest

from experiments.benchmarks.attacks import ATTACKS, OPEN_FILES, Harm, attacked
from tests.counts import in_full_alone
from tests.faults.conftest import Serve

SECONDS = 10
SLOWEST_MS = 250
MAX_GROWTH_MIB = 64
MAX_ANSWER = 64 * 1024


@in_full_alone
@pytest.mark.faults
def test_no_attack_is_noticed_by_others(serve: Serve) -> None:
    served = serve()
    served.open_files = OPEN_FILES
    served.start()

    harms = attacked(served, list(ATTACKS), SECONDS)

    noticed = [harm.row(name) for name, harm in harms.items() if is_noticed(harm)]
    assert noticed == []
    served.wait_until_ready(5)


def is_noticed(harm: Harm) -> bool:
    """Whether others wait or are refused, memory grows, or an answer is large."""
    return (
        harm.p99_ms > SLOWEST_MS
        or harm.others_refused > 0
        or harm.growth_mib > MAX_GROWTH_MIB
        or harm.answers.largest > MAX_ANSWER
    )
