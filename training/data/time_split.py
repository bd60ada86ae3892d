"""Fit, calibration and evaluation windows in order of time, as a model in service meets them.

A label counts in a window only if it was known before the next window begins, because nobody
training on that day could have known more. Data is never split at random.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

import numpy as np

from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.model.manifest import TrainingWindow, WindowFigures
from training.parameters import SplitParameters
from training.ranking import Floats, Ints

WIDEN = "Widen the window or shorten split.label_gap_days"
FAR_FUTURE = np.datetime64("9999-12-31T00:00:00", "us")


@dataclass(frozen=True)
class TimeWindow:
    """Declarations in [begins, ends): `rows` are indices of the labelled ones in use.

    `unlabelled` are the others in use: not inspected, inconclusive, or not known in time.
    """

    name: str
    begins: np.datetime64
    ends: np.datetime64
    rows: Ints
    labels: Floats
    unlabelled: Ints

    @classmethod
    def between(
        cls,
        name: str,
        data: TrainingSet,
        days: tuple[np.datetime64, np.datetime64],
        *,
        known_before: np.datetime64,
        gap: np.timedelta64,
    ) -> Self:
        """Return a window with the labels known in time, without the `gap` before its end."""
        begins, ends = days
        # Declarations just before the end would have only labels that came unusually fast.
        declared = data.declared_between(begins, ends - gap)
        is_known = data.outcomes.is_labelled_by(known_before)[declared]
        rows = declared[is_known]
        return cls(name, begins, ends, rows, data.outcomes.label[rows], declared[~is_known])

    def without_operators_before(self, data: TrainingSet) -> Self:
        """Return the window without operators that have a labelled subject before it."""
        earlier = data.declared_between(data.declared_at[0], self.begins)
        is_new = data.is_new("operator_id", self.rows, earlier)
        unlabelled = self.unlabelled[data.is_new("operator_id", self.unlabelled, earlier)]
        return replace(
            self, rows=self.rows[is_new], labels=self.labels[is_new], unlabelled=unlabelled
        )

    @property
    def figures(self) -> WindowFigures:
        """The window as stored in a manifest."""
        return WindowFigures(
            begins=in_utc(self.begins),
            ends=in_utc(self.ends),
            labelled=len(self.rows),
            confirmed=int(self.labels.sum()),
        )


@dataclass(frozen=True)
class TimeSplit:
    """Three consecutive windows."""

    fit: TimeWindow
    calibration: TimeWindow
    evaluation: TimeWindow

    @classmethod
    def from_training_set(cls, data: TrainingSet, parameters: SplitParameters) -> Self:
        """Split `data` by time; raises WindowUnusable if a window has too few labels."""
        begins, calibration, evaluation, ends = _boundaries(data, parameters)
        gap = np.timedelta64(round(parameters.label_gap_days * 86_400e6), "us")
        split = cls(
            fit=TimeWindow.between(
                "fit", data, (begins, calibration), known_before=calibration, gap=gap
            ),
            calibration=TimeWindow.between(
                "calibration", data, (calibration, evaluation), known_before=evaluation, gap=gap
            ),
            evaluation=TimeWindow.between(
                "evaluation",
                data,
                (evaluation, ends),
                # Nothing is fitted after the evaluation window, so labels may come at any time.
                known_before=FAR_FUTURE,
                gap=np.timedelta64(0),
            ),
        )
        # Otherwise a model could gain by remembering operators instead of learning risks.
        if parameters.operators == "apart":
            split = cls(
                split.fit,
                split.calibration.without_operators_before(data),
                split.evaluation.without_operators_before(data),
            )
        for window in (split.fit, split.calibration, split.evaluation):
            require_labels(window, parameters.minimum_labels)
        return split

    @classmethod
    def for_recalibration(
        cls,
        data: TrainingSet,
        parameters: SplitParameters,
        begins: np.datetime64,
        unseen_from: np.datetime64,
    ) -> Self:
        """Split `data` for trees that have learnt from labels from `begins` until `unseen_from`.

        The older half of the later confirmed subjects is for the calibration, the newer half for
        the evaluation. Raises WindowUnusable if either has too few labels.
        """
        later = data.declared_between(unseen_from, FAR_FUTURE)
        confirmed = later[data.outcomes.label[later] == 1]
        if not len(confirmed):
            raise WindowUnusable(
                f"no subject is confirmed of those declared from {in_utc(unseen_from):%Y-%m-%d} "
                "on, and the trees have learnt from all results before"
            )
        evaluation = _day(data.declared_at[confirmed[len(confirmed) // 2]])
        gap = np.timedelta64(round(parameters.label_gap_days * 86_400e6), "us")
        calibration = TimeWindow.between(
            "calibration", data, (unseen_from, evaluation), known_before=evaluation, gap=gap
        )
        days = (evaluation, end_of_data(data))
        split = cls(
            fit=window_before(data, (begins, unseen_from), parameters),
            calibration=calibration,
            evaluation=TimeWindow.between(
                "evaluation", data, days, known_before=FAR_FUTURE, gap=np.timedelta64(0)
            ),
        )
        for window in (split.calibration, split.evaluation):
            require_labels(
                window,
                parameters.minimum_labels,
                "The trees have learnt from all results before it. Recalibrate once more are "
                "known, or train again",
            )
        return split

    def before_evaluation(self, data: TrainingSet, parameters: SplitParameters) -> TimeWindow:
        """Return fit and calibration window as one, with all labels known before the evaluation."""
        return window_before(data, (self.fit.begins, self.evaluation.begins), parameters)

    def of_final_trees(self, data: TrainingSet, parameters: SplitParameters) -> TimeWindow:
        """Return the window that the model's final trees are fitted on."""
        return self.before_evaluation(data, parameters) if parameters.refit else self.fit

    @property
    def figures(self) -> TrainingWindow:
        """The split as stored in a manifest."""
        return TrainingWindow(
            fit=self.fit.figures,
            calibration=self.calibration.figures,
            evaluation=self.evaluation.figures,
        )


def window_before(
    data: TrainingSet, days: tuple[np.datetime64, np.datetime64], parameters: SplitParameters
) -> TimeWindow:
    """Return the window between two days, with all labels that were known at its end."""
    gap = np.timedelta64(round(parameters.label_gap_days * 86_400e6), "us")
    return TimeWindow.between("refit", data, days, known_before=days[1], gap=gap)


def _boundaries(data: TrainingSet, parameters: SplitParameters) -> list[np.datetime64]:
    """Return the starts of fit, calibration and evaluation window, and the end of the data.

    Cuts that parameters leave open lie at midnight UTC, at shares of the labelled subjects.
    """
    labelled = data.declared_at[data.outcomes.is_labelled]
    if not len(labelled):
        raise WindowUnusable("the training set has no labelled subject; add inspection outcomes")
    begins = _instant(parameters.fit_from) or _day(data.declared_at[0])
    ends = _instant(parameters.evaluation_until) or end_of_data(data)
    if parameters.calibration_from and parameters.evaluation_from:
        middle = [_instant(parameters.calibration_from), _instant(parameters.evaluation_from)]
        return [begins, *(cut for cut in middle if cut is not None), ends]
    usable = labelled[(labelled >= begins) & (labelled < ends)]
    shares = np.array([parameters.fit_share, parameters.fit_share + parameters.calibration_share])
    places = np.minimum((shares * len(usable)).astype(int), max(len(usable) - 1, 0))
    if not len(usable):
        raise WindowUnusable(f"no labelled subject was declared from {begins} to {ends}")
    return [begins, *(_day(usable[place]) for place in places), ends]


def end_of_data(data: TrainingSet) -> np.datetime64:
    """Return the midnight after the last declaration."""
    return _day(data.declared_at[-1]) + np.timedelta64(1, "D")


def require_labels(window: TimeWindow, minimum: int, remedy: str = WIDEN) -> None:
    """Raise WindowUnusable, with a remedy, unless `minimum` are confirmed and as many cleared."""
    confirmed = int(window.labels.sum())
    cleared = len(window.labels) - confirmed
    if confirmed >= minimum and cleared >= minimum:
        return
    if len(window.labels) >= 2 * minimum and not min(confirmed, cleared):
        remedy = "All results of it are alike, and a model learns from both kinds"
    raise WindowUnusable(
        f"the {window.name} window, {in_utc(window.begins):%Y-%m-%d} to "
        f"{in_utc(window.ends):%Y-%m-%d}, has {confirmed} confirmed and {cleared} not confirmed "
        f"subjects whose outcome was known in time; at least {minimum} of each are needed. "
        f"{remedy}"
    )


def _day(instant: np.datetime64) -> np.datetime64:
    return instant.astype("datetime64[D]").astype("datetime64[us]")


def _instant(day: datetime | None) -> np.datetime64 | None:
    return None if day is None else as_instant(day)


def as_instant(day: datetime) -> np.datetime64:
    """Return a datetime with a timezone as a numpy instant in UTC."""
    return np.datetime64(day.astimezone(UTC).replace(tzinfo=None), "us")


def in_utc(instant: np.datetime64) -> datetime:
    """Return a numpy instant as a datetime in UTC."""
    plain: datetime = instant.astype("datetime64[us]").item()
    return plain.replace(tzinfo=UTC)
