"""Every kind of sentence that the catalogue, a comparison or a provenance can say."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from features.catalogue import features_of
from features.definition import Feature, Unit
from features.input_dependencies import INPUTS
from features.provenance import SubmissionProvenance
from features.records import SubjectKind
from serving.explanation.comparison import PEERS, SAYINGS, Comparison, comparison_in_words
from serving.explanation.formatting import Value, listed, value_in_words
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.provenance_text import provenance_in_words
from serving.explanation.reasons_in_words import sentence
from serving.language import Language
from tests.serving.bodies import ROUTE, SHIPMENT, submission


def everything_said(kind: SubjectKind, language: Language) -> Iterator[str]:
    """Of one kind of subject, in an order that is the same in every language."""
    features = features_of(kind)
    for feature in features:
        counts = dict.fromkeys(feature.said_with, 2.0)
        for value in _values_of(feature):
            yield sentence(feature, value, language, counts)
            yield sentence(feature, value, language)
            yield value_in_words(value, feature.unit, language)
    for how, (own, among), share in product(SAYINGS, PEERS, (0.001, 0.4)):
        compared = Comparison(how=how, among=among, share=share, low=1.0, high=2.0)
        if own == kind:
            yield from (comparison_in_words(compared, unit, kind, language) for unit in Unit)
    yield from (missing_in_words(path, language) for path in INPUTS[kind])
    yield listed(["1", "2", "3"], language)
    grounds = SubmissionProvenance(submission(SHIPMENT if kind == "shipment" else ROUTE))
    for feature in features:
        provenance = grounds.feature(feature)
        ids = dict.fromkeys(provenance.records, ("1", "2"))
        yield from provenance_in_words(replace(provenance, records=ids), language)


def _values_of(feature: Feature) -> list[Value]:
    if feature.is_categorical:
        known = {"mode": "sea", "journey_mode": "inland_waterway", "conveyance_kind": "small_craft"}
        return [None, known.get(feature.name, "12")]
    return [None, 0.0, -1.5, 1.0, 2.0, 1234.5]
