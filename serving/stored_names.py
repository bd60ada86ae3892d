"""Former names in stored documents, and what they are called now.

Stored bytes are never rewritten, since the hash chain covers them: reading takes the names of
former releases, writing uses those of now.
"""

from collections.abc import Mapping
from typing import Any, Final

# Written up to commit c5d7118 of November 2026, before 0.1.0.
DECISION: Final = {"attached": "linked_records"}
REASONS: Final = {"beside": "comparisons"}
REPORT: Final = {"rivals": "challengers"}
REPORT_SLICE: Final = {
    "drawn": "control_outcomes",
    "naive_share": "unweighted_share",
    "untold": "too_few_outcomes",
}
REPORT_STRATUM: Final = {"looked_at": "known_outcomes"}
REPORT_TYPOLOGY: Final = {"found_drawn": "found_control"}
REPORT_WEEK: Final = {"drawn": "control"}
REPORT_DRIFT: Final = {"unjudged": "not_judged"}


def with_current_names(document: Any, former_names: Mapping[str, str]) -> Any:
    """A stored document under the names of now; anything else is returned as it is."""
    if not isinstance(document, dict) or former_names.keys().isdisjoint(document):
        return document
    return {former_names.get(name, name): value for name, value in document.items()}
