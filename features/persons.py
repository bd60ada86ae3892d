"""Which fields describe a person, and their refusal.

Tidegate scores journeys and consignments. A field about a person is refused wherever it turns up,
by name, before its value is looked at; the value never reaches an error, a log or a table.
Basis: FRA, Preventing unlawful profiling today and in the future (2018); Smuggling Protocol,
Art. 5.
"""

import re
from collections.abc import Iterable

# Counts describe the load of a craft, and how much was found, not the people in it.
NOT_ABOUT_A_PERSON = frozenset({"persons_on_board", "found_persons"})

PERSON_WORDS = frozenset(
    """
    age ages biometric biometrics birth birthday birthdate birthplace citizenship dob email ethnic
    ethnicity face facial fingerprint fingerprints firstname forename fullname gender genetic
    health iris language languages lastname marital maiden mobile mrz msisdn name names
    nationalities nationality passport passports person persons phone photo phonenumber
    political portrait race racial religion religious sex sexual surname telephone visa
    """.split()
)

PERSON_PHRASES = ("date_of_birth", "travel_document", "national_id", "identity_card", "id_card")


def words_of(field: str) -> tuple[str, ...]:
    """The lower-case words of a field name, however it is written.

    >>> words_of("dateOfBirth"), words_of("Given-Name"), words_of("EMAIL")
    (('date', 'of', 'birth'), ('given', 'name'), ('email',))
    """
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field)
    return tuple(word for word in re.split(r"[^a-z0-9]+", separated.lower()) if word)


def describes_a_person(field: str) -> bool:
    """Whether a field of this name would hold an attribute of a person.

    >>> describes_a_person("driver_nationality"), describes_a_person("packages")
    (True, False)
    """
    words = words_of(field)
    if "_".join(words) in NOT_ABOUT_A_PERSON:
        return False
    joined = f"_{'_'.join(words)}_"
    return not PERSON_WORDS.isdisjoint(words) or any(f"_{p}_" in joined for p in PERSON_PHRASES)


def why_refused(field: str) -> str:
    """Why a field that no record knows is refused, without its value."""
    if describes_a_person(field):
        return f"{field} would describe a person; Tidegate accepts no attribute of a person"
    return f"{field} is no field of this record"


def person_fields(fields: Iterable[str]) -> list[str]:
    """Those of `fields` that describe a person, sorted."""
    return sorted(field for field in fields if describes_a_person(field))
