"""Local time at the offices of a country: that of its capital, or of its most populous coast."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from synthetic.chance import Ints
from synthetic.instants import DAY, HOUR, SECOND

ZONES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "BS": "America/Nassau",
    "CA": "America/Toronto",
    "CH": "Europe/Zurich",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IT": "Europe/Rome",
    "LT": "Europe/Vilnius",
    "LV": "Europe/Riga",
    "NL": "Europe/Amsterdam",
    "PL": "Europe/Warsaw",
    "PR": "America/Puerto_Rico",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
    "US": "America/New_York",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ahead_of_utc(countries: npt.ArrayLike, instants: Ints) -> Ints:
    """Return by how many microseconds clocks in each country are ahead of UTC at that day's noon.

    >>> noon = np.array([1_735_732_800_000_000, 1_751_371_200_000_000])  # in January and in July
    >>> (ahead_of_utc(["DE", "US"], noon) // HOUR).tolist()
    [1, -4]
    """
    names, country = np.unique(np.asarray(countries, dtype=str), return_inverse=True)
    days, day = np.unique(np.asarray(instants) // DAY, return_inverse=True)
    pairs, of = np.unique(country * len(days) + day, return_inverse=True)
    ahead = [_ahead(str(names[pair // len(days)]), int(days[pair % len(days)])) for pair in pairs]
    return np.array(ahead, dtype=np.int64)[of]


def _ahead(country: str, day: int) -> int:
    noon = EPOCH + timedelta(days=day, seconds=12 * HOUR // SECOND)
    offset = noon.astimezone(ZoneInfo(ZONES[country])).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * SECOND
