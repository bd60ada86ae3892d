"""French and Arabic that come with the release: whole, in their own words and with their forms."""

import re
from collections import Counter
from datetime import UTC, datetime
from gettext import c2py
from pathlib import Path
from typing import Any, get_args

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from features.definition import Unit
from features.records import SubjectKind
from serving.explanation.formatting import listed, value_in_words
from serving.explanation.reason_messages import reason_messages
from serving.language import ENGLISH, SHIPPED, begin_locale, languages_in
from serving.web.html import instant_in_words
from serving.web.translation_template import all_messages
from tests.serving.bodies import SHIPMENT
from tests.serving.conftest import Service
from tests.serving.explanation.everything_said import everything_said

CODES = sorted(file.stem for file in SHIPPED.glob("*.po"))
LANGUAGES = languages_in(Path("no home"))
VALUE = re.compile(r"\{[^}]*\}|%\(\w+\)s|%%|<[^>]*>")
WORD = re.compile(r"[^\W\d_]{3,}")
FRENCH_AS_WELL = set(
    """
    code codes corridor description descriptions destination distance document documents instant
    instants masses mode nomenclature parties pays port ports position positions service silence
    scores tare terminal transit type version volume iban eur utc
    """.split()
)


@pytest.fixture(scope="module", params=CODES)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with (SHIPPED / f"{request.param}.po").open("rb") as lines:
        return read_po(lines, locale=request.param, abort_invalid=True)


def translated(catalogue: Catalog) -> list[tuple[Message, list[str]]]:
    """Each message but the header, with its forms."""
    return [
        (each, [each.string] if isinstance(each.string, str) else list(each.string))
        for each in catalogue
        if each.id
    ]


def test_french_and_arabic_are_shipped_as_drafts(catalogue: Catalog) -> None:
    assert CODES == ["ar", "fr"]
    assert "DRAFT: no native reader has passed these texts yet" in catalogue.header_comment


def test_every_text_of_a_reason_is_translated(catalogue: Catalog) -> None:
    known = whole(catalogue)

    assert [message for message, _ in reason_messages() if message not in known] == []


def test_hardly_a_text_of_the_console_is_left_in_english(catalogue: Catalog) -> None:
    """Whoever adds a text may have no French or Arabic: one in a hundred may wait for somebody."""
    texts = {message for message, _ in all_messages()}

    left = texts - whole(catalogue)

    assert len(left) <= len(texts) / 100, left


def whole(catalogue: Catalog) -> set[Any]:
    """The texts of which every form is translated."""
    return {each.id for each, forms in translated(catalogue) if all(forms) and not each.fuzzy}


def test_a_translation_has_every_form_and_the_values_of_its_text(catalogue: Catalog) -> None:
    form_of = c2py(catalogue.plural_expr)
    of_many = {
        form for form, numbers in Counter(map(form_of, range(1, 999))).items() if numbers > 1
    }

    for message, forms in translated(catalogue):
        texts = [message.id] if isinstance(message.id, str) else message.id
        wanted = set(VALUE.findall(texts[-1]))
        is_plural = len(texts) > 1
        assert len(forms) == (catalogue.num_plurals if is_plural else 1), message.id
        for number, form in enumerate(forms):
            named = set(VALUE.findall(form))
            assert named <= wanted, message.id
            assert named == wanted or (is_plural and number not in of_many), message.id


@pytest.mark.parametrize("kind", get_args(SubjectKind))
def test_no_english_word_is_left_in_a_reason(kind: SubjectKind) -> None:
    english = list(everything_said(kind, ENGLISH))
    french = list(everything_said(kind, LANGUAGES["fr"]))
    arabic = list(everything_said(kind, LANGUAGES["ar"]))

    assert [text for text in arabic if re.search("[A-Za-z]", text)] == []
    left = [
        (words, own)
        for text, own in zip(english, french, strict=True)
        if (words := words_of(text) & words_of(own) - FRENCH_AS_WELL)
    ]
    assert left == []


def words_of(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


@pytest.mark.parametrize("code", CODES)
def test_a_reason_is_read_in_the_shipped_language(service: Service, code: str) -> None:
    caller = service.key("score", "explain")
    decision_id = service.score(SHIPMENT, caller).json()["decision_id"]

    def explanation(language: str) -> dict[str, Any]:
        headers = {**caller, "Accept-Language": language}
        address = f"/v1/decisions/{decision_id}/explanation"
        return service.client.get(address, headers=headers).json()

    english, own = explanation("en"), explanation(f"{code}-TN, en;q=0.5")

    assert own["language"] == code
    for text, of_english in zip(sentences(own), sentences(english), strict=True):
        assert words_of(text) & words_of(of_english) <= FRENCH_AS_WELL
        assert code == "fr" or not re.search("[A-Za-z]", text)


def test_an_instant_in_arabic_has_no_latin_comma() -> None:
    begin_locale(LANGUAGES["ar"])
    try:
        said = instant_in_words(datetime(2026, 12, 1, 13, 22, tzinfo=UTC))
    finally:
        begin_locale(ENGLISH)

    assert "2026" in said
    assert "،" in said
    assert "," not in said


def sentences(explanation: dict[str, Any]) -> list[str]:
    said = [explanation["estimate_in_words"], *explanation["missing_in_words"]]
    for reason in explanation["reasons"]:
        said += [reason["topic"], reason["words"], reason["sign_of"] or ""]
        said += [each["sentence"] for each in reason["evidence"]]
    return said


def test_a_text_that_is_not_translated_stays_english(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid "yes"\nmsgstr "ja"\n')
    german = languages_in(tmp_path)["de"]

    assert value_in_words(1.0, Unit.YES_NO, german) == "ja"
    assert value_in_words(0.0, Unit.YES_NO, german) == "no"
    assert value_in_words(30.0, Unit.DAYS, german) == "30 days"


@pytest.mark.parametrize(
    ("value", "unit", "french", "arabic"),
    [
        (1234.0, Unit.COUNT, "1\u202f234", "1,234"),
        (0.0125, Unit.SHARE, "1,2 %", "1.2 %"),
        (12345.6, Unit.EURO, "12\u202f000 EUR", "12,000 يورو"),
        (1.5, Unit.HOURS, "1,5 heure", "1.5 ساعة"),
        (2.0, Unit.HOURS, "2 heures", "ساعتين"),
        (2.34, Unit.HOURS, "2,3 heures", "2.3 ساعة"),
        (5.0, Unit.DAYS, "5 jours", "5 أيام"),
        (100.2, Unit.DAYS, "100 jours", "100 يوم"),
        (365.0, Unit.DAYS_UP_TO_YEAR, "un an ou plus", "سنة أو أكثر"),
        (-20.0, Unit.DAYS, "-20 jours", "-20 يومًا"),
        (-5.0, Unit.HOURS_BEFORE, "5 heures après", "5 ساعات بعد ذلك"),
        (None, Unit.DAYS, "inconnu", "غير معروف"),
    ],
)
def test_figures_and_counts_are_written_as_in_the_language(
    value: float | None, unit: Unit, french: str, arabic: str
) -> None:
    assert value_in_words(value, unit, LANGUAGES["fr"]) == french
    assert value_in_words(value, unit, LANGUAGES["ar"]) == arabic


def test_a_list_has_the_commas_of_the_language() -> None:
    assert listed(["1", "2", "3"], LANGUAGES["fr"]) == "1, 2 et 3"
    assert listed(["1", "2", "3"], LANGUAGES["ar"]) == "1، 2 و3"
