"""Reasons in the reader's language: whole, with its plurals and its marks."""

import re
from functools import partial
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po

from features.catalogue import SHIPMENT
from features.definition import Peers, Unit
from features.records import SubjectKind
from serving.explanation.code_names import goods_in_words
from serving.explanation.comparison import Comparison
from serving.explanation.formatting import value_in_words
from serving.explanation.reason_ranking import ReasonRanking, judge
from serving.explanation.reasons_in_words import ReasonRenderer, sentence
from serving.language import ENGLISH, Language, best_of, language_named, languages_in
from serving.web.translation_template import all_messages, translation_template
from tests.serving.bodies import SHIPMENT as BODY
from tests.serving.conftest import Service
from tests.serving.explanation.everything_said import everything_said

LATIN = re.compile(r"[A-Za-z]")

ROOT = Path(__file__).resolve().parents[3]


def disguised(text: str) -> str:
    """No Latin letter left but in placeholders."""
    parts = re.split(r"(\{\w+\}|%\(\w+\)s|<[^>]+>)", text)
    return "".join(p if place % 2 else LATIN.sub("ж", p) for place, p in enumerate(parts))


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """A Russian that only an English speaker would write, with three forms of every count."""
    folder = tmp_path_factory.mktemp("languages")
    (folder / "template.po").write_bytes(translation_template())
    with (folder / "template.po").open("rb") as lines:
        catalogue = read_po(lines, locale="ru")
    for message in catalogue:
        if message.id and isinstance(message.id, tuple):
            one, many = map(disguised, message.id)
            message.string = (one, f"{many}²", f"{many}⁵")
        elif message.id:
            message.string = disguised(message.id)
    with (folder / "ru.po").open("wb") as lines:
        write_po(lines, catalogue)
    (folder / "template.po").unlink()
    return languages_in(folder)["ru"]


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_no_english_leaks_into_another_language(kind: SubjectKind, pseudo: Language) -> None:
    said = everything_said(kind, pseudo)

    assert [text for text in said if LATIN.search(text)] == []


def test_a_stored_reason_is_told_again_in_another_language(pseudo: Language) -> None:
    usual = Comparison(how="or_more", among=Peers.GOODS, share=0.9, low=7.0, percentile=5.0)
    stored = ReasonRanking(SHIPMENT[:1]).reasons([1.0], [0.5], partial(judge, lambda *_: usual))
    name = SHIPMENT[0].name

    (told,) = ReasonRenderer("shipment", {name: 1.0}, {name: 0.5}, pseudo).reasons(stored)

    for text in (
        told.words,
        told.sign_of or "",
        told.topic,
        told.evidence[0].sentence,
        told.evidence[0].usual,
    ):
        assert not LATIN.search(text)
    assert told.log_odds == stored.reasons[0].log_odds


def test_a_count_takes_the_form_that_the_language_gives_it(pseudo: Language) -> None:
    feature = next(f for f in SHIPMENT if f.name == "payment_count")

    forms = [sentence(feature, float(count), pseudo)[-1] for count in (1, 3, 7)]

    assert forms == ["ж", "²", "⁵"]


def test_figures_take_the_marks_of_the_language(pseudo: Language) -> None:
    assert value_in_words(1234.0, Unit.COUNT, pseudo) == "1\xa0234"
    assert value_in_words(0.0125, Unit.SHARE, pseudo) == "1,2 %"


def test_every_message_is_in_the_template_once() -> None:
    text = translation_template().decode()

    assert text.count("msgid ") == len({message for message, _ in all_messages()}) + 1


def test_a_translator_finds_every_message_in_the_file_that_is_named() -> None:
    places = {place.partition("#")[0].split()[0] for _, place in all_messages()}

    assert [place for place in places if not (ROOT / place).is_file()] == []


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, fr;q=0.9", "de"),
        ("pt-BR;q=0.9, de;q=0.8", "pt-BR"),
        ("xx, de;q=0", "en"),
        ("de;q=x, pt-br", "pt-BR"),
    ],
)
def test_the_language_liked_best_is_taken(accepted: str, code: str) -> None:
    known = {"en": ENGLISH, "de": Language("de"), "pt-br": Language("pt-BR")}

    assert best_of(known, accepted).code == code


def test_a_file_that_is_no_language_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "nowhere.po").write_text("msgid")
    (tmp_path / "fr.po").write_text('msgid "it weighs {value} kg"\nmsgstr "{poids} kg"\n')

    shipped = languages_in(tmp_path / "absent")
    assert list(languages_in(tmp_path)) == list(shipped) == ["en", "ar", "fr"]
    assert languages_in(tmp_path)["fr"] is shipped["fr"]


def test_a_text_of_the_home_goes_before_the_shipped_one_and_no_other_does(tmp_path: Path) -> None:
    plurals = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
    own = 'msgid "yes"\nmsgstr "si"\n\nmsgid "no"\nmsgstr ""\n\n'
    empty = 'msgid "one day"\nmsgid_plural "{value} days"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    for name in ("fr.po", "fr_CA.po"):
        (tmp_path / name).write_text(plurals + own + empty)
    languages = languages_in(tmp_path)

    for code in ("fr", "fr-ca"):
        said = [languages[code].say(text) for text in ("yes", "no", "a text of nobody")]
        assert said == ["si", "non", "a text of nobody"]
        assert languages[code].say_of(3, "one day", "{value} days", value="3") == "3 jours"
    assert languages_in(tmp_path / "absent")["fr"].say("yes") == "oui"


def test_an_explanation_is_given_in_the_language_that_is_asked_for(service: Service) -> None:
    folder = service.home / "languages"
    folder.mkdir()
    (folder / "de.po").write_text(
        'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "the packing list"\nmsgstr "die Packliste"\n'
    )
    caller = service.key("score", "explain")
    decision_id = service.score(BODY, caller).json()["decision_id"]

    answer = service.client.get(
        f"/v1/decisions/{decision_id}/explanation", headers={**caller, "Accept-Language": "de-AT"}
    ).json()

    assert answer["language"] == "de"
    assert "die Packliste" in answer["missing_in_words"]
    assert any(each["words"] == "die Packliste" for each in answer["missing_input_effects"])


@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("en", "Izmir → Piraeus"),
        ("fr", "Izmir → Piraeus"),
        ("ar", "\u2067\u2068Izmir\u2069 ← \u2068Piraeus\u2069\u2069"),
    ],
)
def test_an_arrow_points_the_way_that_lines_are_read_whatever_letters_are_beside_it(
    code: str, way: str
) -> None:
    assert languages_in(Path("no home"))[code].from_to("Izmir", "Piraeus") == way


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", "070200 (vegetables; tomatoes, fresh or chilled)"),
        ("fr", "070200 (légumes, plantes, racines et tubercules alimentaires)"),
        ("ar", "070200 (خضر ونباتات وجذور ودرنات صالحة للأكل)"),
    ],
)
def test_goods_are_named_in_the_language_of_the_reader(code: str, said: str) -> None:
    assert goods_in_words("070200", language_named(code)) == said
    assert goods_in_words("000000", language_named(code)) == "000000"
