"""The technical file as one HTML page, in the order of Annex IV.

Statements that only the deployer can make are marked as open.
"""

import json
from collections.abc import Iterable
from html import escape

from features.catalogue import features_of
from training.dossier.gathered import Dossier
from training.evaluation.evaluation_page import sections, spelt
from training.evaluation.evaluation_plots import evaluation_pictures
from training.evaluation.html_page import as_png, document, footnote, table

Row = tuple[str, ...]

GATE_HEAD = ("gate", "verdict", "what it measured and wants")
WINDOW_HEAD = ("window", "from", "until before", "labelled", "confirmed", "share confirmed")
FEATURE_HEAD = ("feature", "unit", "indicator", "source", "missing in training")
VERSION_HEAD = ("version", "registered", "trainer", "precision at 5 %", "artefact")
RISKS: tuple[Row, ...] = (
    (
        "a person is scored",
        "fields about persons are refused by name; subjects are movements, whose parties may be "
        "persons behind pseudonyms",
    ),
    ("a group of traffic is referred without cause", "the gate of groups, and the tables above"),
    (
        "a score is mistaken for a verdict",
        "every end takes reasons, what is reported as an offence two persons",
    ),
    (
        "a sign of danger to life is missed",
        "such signs go to rescuers first, and are no input of a model",
    ),
    ("errors go unnoticed", "a control lane drawn at random, whatever the score"),
)
STANDARDS: tuple[Row, ...] = (
    ("contributions", "exact Shapley values of the trees in log-odds, which add up to the score"),
    ("artefact", "Ed25519 signature over the SHA-256 of every file"),
    ("indicators", "each feature names its own source, in the table of inputs"),
)
WATCHED: tuple[Row, ...] = (
    ("tidegate monitor", "population figures by stratum, drift, alerts"),
    ("tidegate verify-log", "no decision was changed or left out"),
    ("supervision", "agreement with the score, time on cases, blind second readings"),
)


def render_dossier(dossier: Dossier) -> str:
    """Return the whole page; text from data is escaped."""
    name, version = dossier.registration.name, dossier.registration.version
    title = f"Technical file of {name}, version {version}"
    return document(title, _parts(dossier), as_png(evaluation_pictures(dossier.report)))


def _parts(dossier: Dossier) -> Iterable[str]:
    yield footnote(
        "In the order of Annex IV of Regulation (EU) 2024/1689. Brackets are 95 % intervals."
    )
    yield table("1. What it is", ("", ""), _identity(dossier), of_words=True)
    yield table("2. What it was made of: declarations", WINDOW_HEAD, _windows(dossier))
    yield table("Parameters of the training", ("key", "value"), _parameters(dossier), of_words=True)
    yield table("Inputs, with their sources", FEATURE_HEAD, _features(dossier), of_words=True)
    yield table("3. Limits", ("", ""), _limits(dossier), of_words=True)
    yield "<h2>4. How it was measured</h2>"
    yield from sections(dossier.report)
    yield table("What every gate said at its promotion", GATE_HEAD, _gates(dossier), of_words=True)
    yield table("5. Risks to people", ("risk", "measure"), RISKS, of_words=True)
    yield table("6. Versions of it so far", VERSION_HEAD, _versions(dossier))
    yield table("7. Standards and sources", ("", ""), STANDARDS, of_words=True)
    yield table("8. Declaration of conformity", ("", ""), [("open", "the deployer's to give")])
    yield table("9. Watched in use", ("", ""), WATCHED, of_words=True)
    yield _card(dossier)


def _identity(dossier: Dossier) -> Iterable[Row]:
    manifest, registration = dossier.model.manifest, dossier.registration
    yield "purpose", f"ranking {manifest.subject}s by risk of smuggling, for people to look"
    yield "not for", "judging persons, and deciding without one"
    yield "artefact", registration.digest
    yield "catalogue of features", manifest.catalogue
    yield "training set", manifest.training_set_digest
    yield "trained by", registration.trainer
    yield "registered", f"{registration.registered_at:%Y-%m-%d %H:%M} UTC"
    yield "run", f"{registration.run_id} in the tracking store"
    yield "made with", ", ".join(f"{n} {v}" for n, v in sorted(manifest.libraries.items()))
    if dossier.waiver:
        yield f"waived: {', '.join(dossier.waiver.gates)}", dossier.waiver.in_words


def _windows(dossier: Dossier) -> Iterable[Row]:
    for name in ("fit", "calibration", "evaluation"):
        window = getattr(dossier.model.manifest.training_window, name)
        share = window.confirmed / window.labelled if window.labelled else 0.0
        days = f"{window.begins:%Y-%m-%d}", f"{window.ends:%Y-%m-%d}"
        yield name, *days, f"{window.labelled:,}", f"{window.confirmed:,}", f"{share:.3f}"


def _parameters(dossier: Dossier) -> Iterable[Row]:
    for group, value in dossier.model.manifest.parameters.items():
        if isinstance(value, dict):
            yield from ((f"{group}.{key}", json.dumps(item)) for key, item in value.items())
        else:
            yield group, json.dumps(value)


def _features(dossier: Dossier) -> Iterable[Row]:
    manifest = dossier.model.manifest
    known = {feature.name: feature for feature in features_of(manifest.subject)}
    for column in manifest.features:
        feature = known[column.name]
        missing = f"{manifest.reference[column.name].missing_share:.1%}"
        yield column.name, feature.unit.value, feature.indicator or "none", feature.source, missing


def _limits(dossier: Dossier) -> Iterable[Row]:
    most = dossier.model.manifest.most_outside
    yield "labels", "they exist only where somebody looked; figures say what it does to them"
    yield "all traffic", dossier.report.population_in_words
    yield (
        "unlike training",
        f"more than {most} values outside the fit window mark a case",
    )
    for name, count in dossier.report.never_seen.items():
        if count:
            yield f"never seen in {name}", f"{count:,} evaluated subjects"


def _gates(dossier: Dossier) -> Iterable[Row]:
    for verdict in dossier.verdicts:
        yield verdict.gate, verdict.answer, verdict.reason
    if not dossier.verdicts:
        yield "none", "", "it was never promoted, or before verdicts were kept"


def _versions(dossier: Dossier) -> Iterable[Row]:
    for version in dossier.versions:
        registration, precision = (
            version.registration,
            version.manifest.metrics.get("precision_at_5pct"),
        )
        yield (
            registration.version + (" (champion)" if version.is_champion else ""),
            f"{registration.registered_at:%Y-%m-%d}",
            registration.trainer,
            spelt(precision) if precision else "–",
            f"{registration.digest[:19]}…",
        )


def _card(dossier: Dossier) -> str:
    if dossier.card is None:
        return footnote("No card: this version was never promoted.")
    return f"<h2>Model card</h2><pre>{escape(dossier.card)}</pre>"
