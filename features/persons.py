"""Recognise fields that describe a person, and refuse them.

Tidegate scores journeys and consignments. A field about a person is refused wherever it occurs, by
its name, before its value is read; the value never reaches an error, a log or a table.

Basis: FRA, Preventing unlawful profiling today and in the future (2018); Smuggling Protocol, Art.
5.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Counts describe the load of a craft or the size of a find, not the people.
NOT_ABOUT_A_PERSON = frozenset({"persons_on_board", "found_persons"})

# Attributes that things have as well; a person behind a thing, such as an owner, is no thing.
_OF_THINGS = frozenset(
    {"language", "languages", "name", "names", "nom", "nombre", "nome", "nomes", "noms"}
)
_LINKING = frozenset({"of", "de", "do", "da", "du", "del", "des", "der", "di"})
_THINGS = frozenset(
    """
    aircraft airport article berth border brand carriage city code column commodity conveyance
    country craft currency depot district document facility feature field file flight goods
    destination harbour image item location lorry mode model office origin place plant port post
    product province region road route seal service ship site state station street table terminal
    town train trailer truck type vehicle version vessel village voyage wagon warehouse
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

# People who operate a craft or travel by it: a column of that name holds their identity.
_OPERATORS_AND_TRAVELLERS = frozenset(
    """
    driver drivers captain master skipper crew passenger passengers traveller traveler contact
    signatory chauffeur chauffeurs conductor motorista condutor fahrer fahrers kapitaen lenker
    conducteur
    """.split()
)
_NO_PERSONS = frozenset(
    """
    bill awb waybill data count total number capacity size max maximum consignment document record
    file flag key
    """.split()
)

# Words in scripts that are not split into words: matched anywhere in a name.
_IN_OTHER_SCRIPTS = """
    водител السائق 司机
    фамилия отчество гражданство национальность рождения телефон прізвище громадянство народження
    الجنسية جنسية تاريخالميلاد الميلاد جوازالسفر الديانة الهاتف الجوال
    国籍 國籍 姓名 性别 性別 护照 護照 出生 年龄 年齡 民族 电话 電話 手机 手機 身份证 身份證 宗教
    氏名 旅券 生年月日 年齢 국적 성명 성별 여권 생년월일 전화번호
    επωνυμο υπηκοοτητα ιθαγενεια διαβατηριο γεννησης τηλεφωνο
    ملیت گذرنامه אזרחות דרכון תאריךלידה
""".split()
# The same, matched only as the whole name: within longer names they also describe things.
_WHOLE_IN_OTHER_SCRIPTS = """
    фио имя пол возраст паспорт ім'я стать вік الاسم اسم الجنس العمر جواز 이름 나이 名前 ονομα φυλο
    ηλικια שם גיל מין نام
""".split()

# Words next to a word about a person if both are written as one.
_BESIDE = frozenset(
    """
    code no nr num id ids type country date of de du da number first last given family middle full
    holder issue issued expiry expires valid text value flag key ref consignee consignor importer
    exporter shipper sender receiver declarant buyer seller agent owner
    """.split()
)
# Too short or ambiguous to look for inside joined words.
_PART_OF_OTHER_WORDS = frozenset("age ages dob face iris mrz nom nome nomes noms race sex".split())
# Bounds the search for splits, which grows with the square of the length.
_MAX_JOINED_LENGTH = 40

PERSON_PHRASES = ("date_of_birth", "travel_document", "national_id", "identity_card", "id_card")


def words_of_name(field: str) -> tuple[str, ...]:
    """Return the lower-case words of a field name, whatever its spelling.

    >>> [words_of_name(each) for each in ("dateOfBirth", "Given-Name", "EMAIL", "prénom")]
    [('date', 'of', 'birth'), ('given', 'name'), ('email',), ('prenom',)]
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", field) if not unicodedata.combining(c))
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return tuple(word for word in re.split(r"[^a-z0-9]+", separated.lower()) if word)


def describes_a_person(field: str) -> bool:
    """Return whether a field of this name would hold an attribute of a person.

    The name of a thing is no such attribute: that of a vessel is not, that of its master is.

    >>> describes_a_person("driver_nationality"), describes_a_person("packages")
    (True, False)
    >>> describes_a_person("vessel_name"), describes_a_person("vessel_master_name")
    (False, True)
    """
    words = _words_apart(field)
    if "_".join(words) in NOT_ABOUT_A_PERSON:
        return False
    if _is_in_another_script(field):
        return True
    words = tuple(word for at, word in enumerate(words) if not _is_of_a_thing(words, at))
    joined = f"_{'_'.join(words)}_"
    return not PERSON_WORDS.isdisjoint(words) or any(f"_{p}_" in joined for p in PERSON_PHRASES)


def is_about_a_person(column: str) -> bool:
    """Return whether a table column describes or names a person, even only by occupation.

    >>> is_about_a_person("DRIVER_LICENCE"), is_about_a_person("MASTER_BILL")
    (True, False)
    """
    words = {*_words_apart(column)}
    works = not words.isdisjoint(_OPERATORS_AND_TRAVELLERS) and words.isdisjoint(_NO_PERSONS)
    return works or describes_a_person(column)


def _words_apart(field: str) -> tuple[str, ...]:
    """Return the words of a field without digits; words written as one are split.

    >>> _words_apart("NATIONALITYCODE"), _words_apart("SURNAME1"), _words_apart("PACKAGES")
    (('nationality', 'code'), ('surname',), ('packages',))
    """
    words = (word.strip("0123456789") for word in words_of_name(field))
    return tuple(part for word in words if word for part in _parted(word))


@lru_cache(maxsize=4096)
def _parted(word: str) -> tuple[str, ...]:
    """Return the known words that a joined word consists of, or the word itself."""
    if len(word) > _MAX_JOINED_LENGTH or word in _JOINED:
        return (word,)
    ends: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        ways = [(*ends[at], word[at:end]) for at in ends if word[at:end] in _JOINED]
        if ways:
            ends[end] = min(ways, key=len)
    return ends.get(len(word), (word,))


def _is_in_another_script(field: str) -> bool:
    """Return whether a name in a non-Latin script is about a person."""
    if field.isascii():
        return False
    plain = _without_marks(field)
    letters = "".join(letter for letter in plain if letter.isalpha() or letter == "'")
    return letters in _WHOLE_OF_SCRIPTS or any(word in letters for word in _ANY_OF_SCRIPTS)


def _without_marks(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain).casefold()


_JOINED = (PERSON_WORDS - _PART_OF_OTHER_WORDS) | _THINGS | _BESIDE | _OPERATORS_AND_TRAVELLERS
_ANY_OF_SCRIPTS = tuple(map(_without_marks, _IN_OTHER_SCRIPTS))
_WHOLE_OF_SCRIPTS = frozenset(map(_without_marks, _WHOLE_IN_OTHER_SCRIPTS))


def _is_of_a_thing(words: tuple[str, ...], at: int) -> bool:
    """Return whether a word names a thing: the one before it, or the last one after `of`."""
    before, after = words[:at], words[at + 1 :]
    if words[at] not in _OF_THINGS:
        return False
    if after[:1] and after[0] in _LINKING:
        return after[-1] in _THINGS
    return not after and bool(before) and before[-1] in _THINGS


def why_refused(field: str) -> str:
    """Return the reason why an unknown field is refused, without its value."""
    if describes_a_person(field):
        return f"{field} would describe a person; Tidegate accepts no attribute of a person"
    return f"{field} is no field of this record"


def person_fields(fields: Iterable[str]) -> list[str]:
    """Return those of `fields` that describe a person, sorted."""
    return sorted(field for field in fields if describes_a_person(field))
