"""Gettext template of every text that a person reads.

Babel finds texts in templates and in calls of the translation functions. Texts in tables, and
codes shown as text, are listed here.
"""

import ast
import io
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po, write_po

from features.catalogue import features_by_name
from features.offences import OFFENCES
from features.records import (
    RECORD_FILES,
    ConveyanceKind,
    Depth,
    DocumentKind,
    EventKind,
    Examination,
    Mode,
    PaymentMethod,
    Purpose,
)
from features.reference.geography.regions import countries, region_of
from serving.access.approvals import ActKind, Part
from serving.access.roles import Role
from serving.errors import PROBLEMS, ServingError
from serving.explanation.provenance_text import field_name
from serving.explanation.reason_messages import Message, reason_messages
from serving.explanation.reason_ranking import Strength
from serving.review.acts.judge import JudgedAs
from serving.review.acts.justifications import EvidentPurpose, StatedPurpose
from serving.review.acts.mark_reason import Verdict
from serving.review.cases.case_state import Status
from serving.review.cases.event_kinds import EVENT_KINDS, EventAction
from serving.review.cases.results import Confidence, ReasonCode
from serving.triage.lane_declarations import LANES, Lane, LaneReason
from serving.web.figure_words import AT, SHARES
from serving.web.stored_texts import STORED_TEXTS

SERVING = Path(__file__).parents[1]

_METHODS = {".html": "jinja2", ".py": "python"}
_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true"}  # of templates
_SAID = {"say": None, "say_of": (2, 3)}
_ACTIONS, _OBJECTS = {"AuditEvent": (3,)}, {"AuditEvent": (4,)}

# Folders whose texts appear on pages; answers to machines and commands are English only.
SHOWN_TO_PEOPLE = ("access", "console", "monitor", "review", "web")

# Constants in each file whose texts are translated where they are shown.
TABLES = {
    "access/approvals.py": ("_WORDS",),
    "console/bulk_acts.py": ("DONE_WORDS",),
    "console/case_list.py": ("JUDGE_FIRST", "RISK_LEVELS", "TAB_NAMES"),
    "console/case_view.py": ("HIDDEN_LANE",),
    "console/case_forms.py": ("JUDGED_AS_WORDS", "WAITING_FOR"),
    "console/charts/document_grid.py": ("_STATED",),
    "console/charts/timeline.py": ("ROWS",),
    "console/models.py": ("DRAWN_AT_RANDOM",),
    "console/credentials.py": ("NOT_LET_IN", "TOO_OLD"),
    "console/notices.py": ("NOTICE_WORDS",),
    "console/oidc_login.py": ("NOT_ASKED",),
    "console/refusals.py": ("_TITLES", "_NEXT", "_ELSE"),
    "console/rescue_log.py": ("CALL_WORDS", "COMPASS"),
    "console/search.py": ("_IN_WORDS",),
    "console/supervision.py": ("LEFT_ALONE",),
    "console/supervision_view.py": ("EXPLAINED", "HIGHER", "LOWER", "VERDICTS", "WHICH_WORDS"),
    "language.py": ("TITLES",),
    "review/cases/actions.py": ("ACTION_WORDS", "REFERRED_WORDS"),
    "review/letters/case_letters.py": ("GROUNDS",),
    "review/cases/case_summary.py": (
        *("AGAINST", "GOODS", "HARM", "JOURNEY", "MAIN_REASON", "SELECTED_AT_RANDOM"),
        *("SELECTED_BEFORE", "SHIPMENT", "UNFITTING_DESCRIPTION", "UNFITTING_SHIPMENT"),
        *("UNNAMED_GOODS", "WAY", "WHEN"),
    ),
    "review/letters/letter.py": (
        *("CARRIED", "MEASURES", "NAMES_YOU", "NAMES_YOU_WITH_PAPERS", "OF_OTHERS", "RELEASED"),
    ),
    "review/letters/letter_text.py": (
        *("BESIDES", "COMPUTER", "CONSEQUENCES", "COUNTED", "DATA", "DISCRETION", "FULLER"),
        *("NO_DECISION", "OTHERS_COUNTED", "PEOPLE", "SELECTED"),
    ),
    "review/letters/own_declarations.py": (
        *("DAY_AND_TIME", "LEG", "NAMES", "PAPER", "PAPER_WITHOUT_NUMBER", "STATED"),
    ),
    "review/acts/justifications.py": ("STATED",),
    "review/cases/results.py": ("FOUND_BY_WORDS", "RESULT_MEANING"),
    "review/cases/typology_texts.py": ("TYPOLOGIES",),
    "web/findings_by_week.py": ("PHRASES",),
    "web/figure_words.py": ("OTHER_FIGURES", "AMONG", "NOT_ENOUGH", "WORDS"),
    "web/html.py": ("SUBJECTS",),
    "web/problems.py": ("TITLES",),
    "../training/model/counted_cases.py": (
        *("Case", "ENOUGH", "FROM", "BY_DATE", "OVERDUE", "NOT_WITHIN_A_YEAR", "NO_RATE"),
        "CANNOT_SAY",
    ),
}

# Closed lists of codes that are shown as text.
CODES: tuple[Any, ...] = (
    *(ActKind, Confidence, ConveyanceKind, Depth, DocumentKind, EventAction, EventKind),
    *(EvidentPurpose, JudgedAs, LaneReason, StatedPurpose, Verdict),
    *(Examination, Lane, Mode, Part, PaymentMethod, Purpose, ReasonCode, Role, Status, Strength),
)

# Codes that belong to no closed list, or to one too long to list.
OTHER_CODES = (
    *OFFENCES,
    *("consignee", "consignor", "declarant", "carrier", "payer", "payee", "container", "vessel"),
    *("vehicle", "seal", "operator", "agent", "goods", "corridor", "case", "shipment", "journey"),
    *("champion", "challenger", "shadow", "passed", "refused", "undecided", "waived", "read"),
    *(
        "high",
        "medium",
        "low",
        "not stated",
        "not said",
        "owner",
        "proposed by",
        "action",
        "result",
    ),
    *("proposal", "second view", "ended by", "reopening", "waiting until", "waiting for"),
    *("attachment", "letter", "deferral", "first judgement", "amendment", "model", "region"),
    *("office", "mode", "operator", "way", "cases", "decisions", "purposes", "scopes", "steps"),
    *("tables", "webhook endpoints", "export", "supervised cases", "table", "upgrade", "counts"),
    *("begin audit", "begin rescorings", "call acknowledged", "call called", "call escalated"),
    *("call refused", "change password", "reset password", "rescorings", "confirm holder"),
    *("address", "browser", "cause", "offices", "role", "search", "call", "data keys", "origin"),
    *("artefact", "better than random", "calibration", "canaries", "control lane", "groups"),
    *("golden vectors", "influence", "leakage", "no worse than the champion", "proxies"),
    "recalibration",
    *(
        "second approval",
        "live traffic",
        "waiver",
        "undecided, waived",
        "refused, waived",
        "undecided, not required in a trial",
        "undecided, not required in a pilot",
        "a browser",
        "the service itself",
        "init",
        "links",
    ),
    *(
        "is justification asked",
        "filters",
        "actor",
        "object id",
        "object kind",
        "watch list",
        "company",
    ),
    *("random draw", "all without the score", "all together", "inspected by score"),
    *("not inspected", "new", "1 to 9 before", "10 to 99 before", "100 or more before"),
    *("never seen before", "seen for less than 30 days", "seen for 30 to 179 days"),
    *("seen for 180 days or more", "(unknown)"),
    "transit declaration",
    *("unknown", "precision", "recall", "lift", "prevalence", "party", "entity", "tags", "due at"),
)


def all_messages() -> Iterator[tuple[Message, str]]:
    """Yield each message with its location; some appear twice."""
    return chain(
        reason_messages(),
        _extracted(),
        _of_tables(),
        (
            (words, "serving/triage/lane_declarations.py")
            for lane in LANES.values()
            for words in (lane.name, lane.proposal)
        ),
        ((problem.title, "serving/problems.toml") for problem in PROBLEMS.values()),
        _of_codes(),
        _of_records(),
        ((text, "serving/web/stored_texts.py") for text in STORED_TEXTS),
        (
            (text, "serving/review/cases/event_kinds.py")
            for kind in EVENT_KINDS.values()
            for text in (kind.done, kind.rescue_log)
            if text
        ),
        ((f.meaning, f.defined_at) for f in features_by_name().values()),
        (
            (f.family.replace("_", " "), "features/families/__init__.py")
            for f in features_by_name().values()
        ),
    )


@cache
def _extracted() -> tuple[tuple[Message, str], ...]:
    """Return texts found in templates and code, the texts of raised errors included.

    Audit events contribute their action and object, as text.
    """
    errors = {each.__name__: None for each in _error_classes(ServingError)}
    keywords: dict[str, Any] = {**DEFAULT_KEYWORDS, **_SAID, **errors, "_refused": None}
    shown = [file for room in SHOWN_TO_PEOPLE for file in sorted((SERVING / room).rglob("*"))]
    audited = [
        file for file in sorted(SERVING.rglob("*.py")) if b"AuditEvent(" in file.read_bytes()
    ]
    codes = chain(_found(_ACTIONS, audited), _found(_OBJECTS, audited))
    return (*_found(keywords, shown), *((code.replace("_", " "), place) for code, place in codes))


def _error_classes(error: type[ServingError]) -> Iterator[type[ServingError]]:
    # `__subclasses__` returns only classes of imported modules, so import them all.
    for room in sorted(path.parent.name for path in SERVING.glob("*/errors.py")):
        import_module(f"serving.{room}.errors")
    yield error
    for each in error.__subclasses__():
        yield from _error_classes(each)


def _found(keywords: dict[str, Any], files: Iterable[Path]) -> Iterator[tuple[Any, str]]:
    for file in files:
        if method := _METHODS.get(file.suffix):
            place = f"serving/{file.relative_to(SERVING).as_posix()}"
            for line, message, *_ in extract_from_file(method, file, keywords, options=_OPTIONS):
                yield message, f"{place}#L{line}"


def _of_tables() -> Iterator[tuple[Message, str]]:
    for file, names in TABLES.items():
        known = _constants(SERVING / file)
        for name in names:
            texts = (each.value for each in ast.walk(known[name]) if isinstance(each, ast.Constant))
            for text in texts:
                if isinstance(text, str) and text:
                    yield text, f"serving/{file}#L{known[name].lineno}"


def _constants(file: Path) -> dict[str, ast.expr]:
    """Return the values of the constants of a module, without the keys of its tables."""
    found = {}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            value = statement.value
            if isinstance(value, ast.Dict):
                value = ast.copy_location(ast.Tuple(value.values, ast.Load()), value)
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = value
                elif isinstance(target, ast.Tuple):
                    found |= {each.id: value for each in target.elts if isinstance(each, ast.Name)}
    return found


def _of_codes() -> Iterator[tuple[Message, str]]:
    for region in sorted({*region_of(countries())}):
        yield region, "features/reference/geography/countries.csv"
    for share in SHARES:
        for at in (*(f"at {part}" for part in AT), "at office capacity"):
            yield f"{share} {at}", "serving/web/figure_words.py"
    for code in (*chain.from_iterable(map(get_args, CODES)), *OTHER_CODES):
        yield code.replace("_", " "), "serving/web/translation_template.py"


def _of_records() -> Iterator[tuple[Message, str]]:
    """Yield the types of records that messages produce, and their fields."""
    for name, record in RECORD_FILES.items():
        if name != "outcomes":
            yield name.replace("_", " "), "features/records.py"
            yield from ((field_name(each), "features/records.py") for each in record.model_fields)


def translation_template() -> bytes:
    """Return the messages as a gettext template (`.pot`) in UTF-8."""
    file = io.BytesIO()
    write_po(file, _catalogue(), omit_header=False, width=100)
    return file.getvalue()


def untranslated(file: Path) -> list[str]:
    """Return the texts that a translation leaves in English."""
    with file.open("rb") as lines:
        translated = read_po(lines, locale=file.stem.replace("-", "_"))
    missing = []
    for message in _catalogue():
        found = translated.get(message.id) if message.id else None
        if message.id and not (found and found.string and all(found.string)):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing


def _catalogue() -> Catalog:
    catalogue = Catalog(project="Tidegate", charset="utf-8", fuzzy=False)
    for message, place in all_messages():
        path, _, line = place.partition("#L")
        catalogue.add(message, locations=[(path.split()[0], int(line or 1))])
    return catalogue
