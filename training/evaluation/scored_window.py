"""The evaluation window scored by a finished model: its report, and the manifest."""

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from features.offences import offence_group
from features.subject_types import SUBJECT_TYPES
from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.evaluation.evaluate import evaluate_model
from training.evaluation.evaluation_report import EvaluationReport, TypologyRecall
from training.evaluation.explained import ExplainedSample
from training.evaluation.inspection_findings import inspection_findings
from training.evaluation.joint_proxy import joint_proxy
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.offices import at_office_capacity
from training.evaluation.oracle import Oracle, compare_with_oracle
from training.evaluation.population_section import population_section
from training.evaluation.proxies import proxies
from training.evaluation.score_bands import score_bands
from training.evaluation.strata import by_stratum
from training.evaluation.typologies import by_typology, is_new
from training.evaluation.unseen_entities import unseen_entity_figures
from training.evenly_spaced import evenly_spaced
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import monotone_constraints
from training.fit.other_libraries import library_version
from training.model.calibration import calibrated_probability, log_odds_of
from training.model.encoding import Encoding
from training.model.manifest import Calibration, GoldenVector, Manifest, OffenceShares
from training.model.offence_shares import offence_shares
from training.model.reference_distribution import references
from training.model.risk_model import sha256
from training.model.training_support import most_outside
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints

GOLDEN_VECTORS = 64
EXPLAINED_ROWS = 2_000
LIBRARIES = ("lightgbm", "numpy", "pandas", "pyarrow", "scipy")


@dataclass(frozen=True)
class ScoredWindow:
    """The evaluation window scored by a finished model.

    `rows` are all its subjects, labelled or not, in order of declaration.
    """

    data: TrainingSet
    window: TimeWindow
    encoding: Encoding
    margins: Margins
    calibration: Calibration
    rows: Ints
    values: EncodedRows
    log_odds: Floats

    @classmethod
    def from_window(
        cls,
        data: TrainingSet,
        window: TimeWindow,
        encoding: Encoding,
        margins: Margins,
        calibration: Calibration,
    ) -> Self:
        """Score all subjects declared in `window`."""
        rows = data.declared_between(window.begins, window.ends)
        frame = data.frame.iloc[data.span(window.begins, window.ends)]
        values = EncodedRows(encoding.encode_columns(frame), np.arange(len(rows)))
        log_odds = log_odds_of(margins.predict_all(values), calibration)
        return cls(data, window, encoding, margins, calibration, rows, values, log_odds)

    @property
    def frame(self) -> pd.DataFrame:
        """The features of `rows` before encoding."""
        return self.data.frame.iloc[self.data.span(self.window.begins, self.window.ends)]

    def subjects(self, *, labelled_only: bool) -> LabelledWindow:
        """Return the subjects of the window, or only labelled ones, with their probability."""
        everyone = LabelledWindow(self.data, self.rows, calibrated_probability(self.log_odds))
        return everyone.only(np.isin(self.rows, self.window.rows)) if labelled_only else everyone

    def report(
        self, parameters: TrainingParameters, oracle: Path | None = None
    ) -> EvaluationReport:
        """Return the evaluation of labelled subjects, with importance and unseen categories.

        With an `oracle` file, also compare all subjects with the best possible ranking.
        """
        everyone, labelled = (self.subjects(labelled_only=only) for only in (False, True))
        chosen, seed = parameters.evaluation, parameters.seed
        name = SUBJECT_TYPES[self.data.inputs.subject].model_name
        figures = evaluate_model(name, labelled, self.window.figures, chosen, seed)
        earlier = self.data.declared_between(self.data.declared_at[0], self.window.begins)
        sections: dict[str, Any] = {
            "population": population_section(
                everyone, self.log_odds, self.window, chosen.capacity_shares
            ),
            "at_office_capacity": at_office_capacity(everyone, labelled, chosen, seed),
            "strata": by_stratum(labelled, chosen, seed),
            "typologies": self._typologies(labelled),
            "findings": inspection_findings(self.data.outcomes, self.rows),
            "cold": unseen_entity_figures(labelled, earlier, chosen, seed),
            "proxies": proxies(self.frame, self.data.subjects["origin_country"].iloc[self.rows]),
            "joint_proxy": joint_proxy(
                self.values,
                self.log_odds,
                everyone.labels,
                self.data.subjects["origin_country"].iloc[self.rows],
            ),
            "importance": self.explained.importance,
            "never_seen": self.encoding.unseen(self.frame),
        }
        if oracle is not None:
            sections |= self._oracle_figures(Oracle.read(oracle, everyone), parameters)
        return figures.model_copy(update=sections)

    @cached_property
    def explained(self) -> ExplainedSample:
        """Contributions of a sample of subjects, evenly spaced over the window."""
        places = evenly_spaced(len(self.rows), EXPLAINED_ROWS)
        contributions, _ = self._explained(places)
        return ExplainedSample(
            names=tuple(self.encoding.names),
            is_categorical=tuple(c.categories is not None for c in self.encoding.inputs),
            rows=self.values.only(places)[:],
            contributions=contributions,
        )

    def _typologies(self, labelled: LabelledWindow) -> tuple[TypologyRecall, ...]:
        typology = self.data.outcomes.typology[labelled.rows]
        return by_typology(labelled, typology, is_new(labelled, typology, self.window.begins))

    def _oracle_figures(self, oracle: Oracle, parameters: TrainingParameters) -> dict[str, Any]:
        """Return the sections that an oracle adds to a report."""
        chosen, seed = parameters.evaluation, parameters.seed
        new = is_new(oracle.window, oracle.typology, self.window.begins)
        known = oracle.only(~new)
        return {
            "oracle": compare_with_oracle(oracle, oracle.probability, chosen, seed),
            "oracle_known": compare_with_oracle(known, known.came_true, chosen, seed),
            "oracle_typologies": by_typology(oracle.window, oracle.typology, new),
        }

    def manifest(
        self,
        split: TimeSplit,
        files: Mapping[str, bytes],
        parameters: TrainingParameters,
        report: EvaluationReport,
    ) -> Manifest:
        """Return the manifest of the artefact."""
        golden, base = self._golden()
        # The whole fit window, labelled or not: the reference describes traffic.
        fit_span = self.data.span(split.fit.begins, split.fit.ends)
        reference = references(self.data.frame.iloc[fit_span], self.data.inputs)
        return Manifest(
            name=SUBJECT_TYPES[self.data.inputs.subject].model_name,
            subject=self.data.inputs.subject,
            features=self.encoding.inputs,
            catalogue=self.data.inputs.fingerprint,
            calibration=self.calibration,
            base_log_odds=base,
            monotone=tuple(monotone_constraints(self.data.inputs, parameters)),
            training_window=split.figures,
            training_set_digest=self.data.digest,
            record_counts=self.data.record_counts,
            parameters=parameters.model_dump(mode="json"),
            metrics=report.metrics,
            golden=golden,
            score_quantiles=tuple(
                np.quantile(calibrated_probability(self.log_odds), np.linspace(0, 1, 201)).tolist()
            ),
            score_bands=score_bands(report.population.bands if report.population else ()),
            offence_shares=self._offence_shares(),
            reference=reference,
            most_outside=most_outside(reference, self._batches()),
            libraries={name: importlib.metadata.version(name) for name in LIBRARIES}
            | library_version(parameters.trees.library),
            files={name: sha256(content) for name, content in files.items()},
        )

    def _offence_shares(self) -> OffenceShares:
        """Return the shares of offences in finds known before the window, by group of subjects."""
        outcomes, subjects = self.data.outcomes, self.data.subjects
        # Later finds must not be used: the evaluation would then describe itself.
        known = outcomes.is_labelled_by(self.window.begins) & (outcomes.label == 1)
        rows = np.flatnonzero(known & np.not_equal(outcomes.offences, None))  # type: ignore[call-overload]  # an object column
        codes = subjects.get("goods_code", pd.Series(None, subjects.index, dtype=object))
        about = zip(subjects["mode"].iloc[rows], codes.iloc[rows], strict=True)
        groups = [offence_group(*(None if pd.isna(v) else v for v in each)) for each in about]
        return offence_shares(zip(groups, outcomes.offences[rows], strict=True))

    def _batches(self) -> Iterator[tuple[Floats, pd.DataFrame]]:
        size = self.values.batch_size
        for place, rows in enumerate(self.values.batches()):
            yield rows, self.frame.iloc[place * size : (place + 1) * size]

    def _golden(self) -> tuple[tuple[GoldenVector, ...], float]:
        """Return real rows over the whole range of scores; a scorer must reproduce their scores."""
        by_score = np.argsort(self.log_odds, kind="stable")
        places = by_score[evenly_spaced(len(by_score), GOLDEN_VECTORS)]
        contributions, base = self._explained(places)
        frame = self.data.frame.iloc[self.rows[places]]
        vectors = (
            GoldenVector(
                values=tuple(None if pd.isna(value) else value for value in row),
                log_odds=float(self.log_odds[place]),
                contributions=tuple(parts.tolist()),
            )
            for row, place, parts in zip(
                frame.itertuples(index=False, name=None), places, contributions, strict=True
            )
        )
        return tuple(vectors), base

    def _explained(self, places: Ints) -> tuple[Floats, float]:
        """Return calibrated contributions of the rows at `places`, and the calibrated base."""
        parts, expected = self.margins.contributions(self.values.only(places)[:])
        # Calibration is linear in the margin, so contributions scale by its slope.
        return (
            self.calibration.slope * parts,
            self.calibration.slope * expected + self.calibration.intercept,
        )
