"""Environment variables with the prefix TIDEGATE_ that nothing reads: misspelt settings."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from serving.settings import FixedLimits, Settings
from serving.streams.stream_settings import StreamSettings

PREFIX = "TIDEGATE_"
# Variables read by commands, workers and tests, or before the settings exist.
BESIDE_SETTINGS = (
    *("CACHE", "EXCHANGE_RATES", "FEATURES", "REPORTING_LIMITS", "MLFLOW_URI"),
    *("TLS_CERT", "TLS_KEY", "WORKERS_KEY", "FAULTS", "SPARK_MASTER"),
)


def unread_variables(environment: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each variable that looks like a setting but is none, in order."""
    # Fixed limits are fields too, but no variable changes them.
    changeable = Settings.model_fields.keys() - FixedLimits.model_fields.keys()
    fields = (*changeable, *StreamSettings.model_fields, *BESIDE_SETTINGS)
    known = {name.upper() for name in fields}
    ours = (name.removeprefix(PREFIX) for name in sorted(environment) if name.startswith(PREFIX))
    for name in ours:
        if name.upper() in known:
            continue
        nearest = get_close_matches(name.upper(), known, 1)
        meant = f"; is {PREFIX}{nearest[0]} meant?" if nearest else ""
        yield f"nothing reads {PREFIX}{name}{meant}"
