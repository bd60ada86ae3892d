"""Which fields describe a person, and their refusal.

Tidegate scores journeys and consignments. A field about a person is refused wherever it turns up,
by name, before its value is looked at; the value never reaches an error, a log or a table.
Basis: FRA, Preventing unlawful profiling today and in the future (2018); Smuggling Protocol,
Art. 5.
"""

import re
import unicodedata
from collections.abc import Iterable

# Counts describe the load of a craft, and how much was found, not the people in it.
NOT_ABOUT_A_PERSON = frozenset({"persons_on_board", "found_persons"})

# A thing has a name and a language too; whoever stands behind it, as an owner, is none.
_OF_THINGS = frozenset(
    {"language", "languages", "name", "names", "nom", "nombre", "nome", "nomes", "noms"}
)
_LINKING = frozenset({"of", "de", "do", "da", "du", "del", "des", "der", "di"})
_THINGS = frozenset(
    """
    aircraft airport article berth border brand carriage city code column commodity conveyance
    country craft currency depot district document facility feature field file flight goods
    harbour image item location lorry mode model office place plant port post product province
    region road route seal service ship site state station street table terminal town train trailer
    truck type vehicle version vessel village voyage wagon warehouse
    buque navio navire nave schiff hafen puerto porto producto produto produit ware waren
    mercancia mercadoria marchandise pays pais land ort lugar lieu zollstelle bureau aduana
    """.split()
)

PERSON_WORDS = frozenset(
    """
    age ages biometric biometrics birth birthday birthdate birthplace citizenship dob email ethnic
    ethnicity face facial fingerprint fingerprints firstname forename fullname gender genetic
    health iris language languages lastname marital maiden mobile mrz msisdn name names
    nationalities nationality passport passports person persons phone photo phonenumber
    political portrait race racial religion religious sex sexual surname telephone visa
    apellido apellidos apelido cognome nachname nom nombre nombres nome prenom prenoms sobrenome
    vorname geburtsdatum geburtsort nascimento nacimiento naissance
    nacionalidad nacionalidade nationalite staatsangehoerigkeit staatsangehorigkeit
    geschlecht sexe sexo passeport pasaporte passaporte reisepass
    correo courriel telefon telefone telefono handy
    """.split()
)

PERSON_PHRASES = ("date_of_birth", "travel_document", "national_id", "identity_card", "id_card")


def words_of(field: str) -> tuple[str, ...]:
    """The lower-case words of a field name, however it is written.

    >>> words_of("dateOfBirth"), words_of("Given-Name"), words_of("EMAIL"), words_of("prénom")
    (('date', 'of', 'birth'), ('given', 'name'), ('email',), ('prenom',))
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", field) if not unicodedata.combining(c))
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return tuple(word for word in re.split(r"[^a-z0-9]+", separated.lower()) if word)


def describes_a_person(field: str) -> bool:
    """Whether a field of this name would hold an attribute of a person.

    The name of a thing is none: of a vessel, but not of its master.

    >>> describes_a_person("driver_nationality"), describes_a_person("packages")
    (True, False)
    >>> describes_a_person("vessel_name"), describes_a_person("vessel_master_name")
    (False, True)
    """
    words = words_of(field)
    if "_".join(words) in NOT_ABOUT_A_PERSON:
        return False
    words = tuple(word for at, word in enumerate(words) if not _is_of_a_thing(words, at))
    joined = f"_{'_'.join(words)}_"
    return not PERSON_WORDS.isdisjoint(words) or any(f"_{p}_" in joined for p in PERSON_PHRASES)


def _is_of_a_thing(words: tuple[str, ...], at: int) -> bool:
    """Whether a word is the name of a thing: of what stands before it, or at the end after `of`."""
    before, after = words[:at], words[at + 1 :]
    if words[at] not in _OF_THINGS:
        return False
    if after[:1] and after[0] in _LINKING:
        return after[-1] in _THINGS
    return not after and bool(before) and before[-1] in _THINGS


def why_refused(field: str) -> str:
    """Why a field that no record knows is refused, without its value."""
    if describes_a_person(field):
        return f"{field} would describe a person; Tidegate accepts no attribute of a person"
    return f"{field} is no field of this record"


def person_fields(fields: Iterable[str]) -> list[str]:
    """Those of `fields` that describe a person, sorted."""
    return sorted(field for field in fields if describes_a_person(field))
