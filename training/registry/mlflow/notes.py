"""Markdown descriptions of a run, its model and versions for MLflow's pages."""

from training.evaluation.evaluation_page import spelt
from training.evaluation.evaluation_report import Figures
from training.model.manifest import Manifest, WindowFigures
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate

ALIASES = (
    "`champion` answers, `shadow` is scored beside it and answers nobody, `challenger` was trained "
    "last. `tidegate promote` moves them, once every gate is passed; a promoted version's run has "
    "its `model_card.md`."
)


def note_on_run(candidate: Candidate, origin: TrainingOrigin) -> str:
    """Describe data, model, performance and further files of a run; about 1,500 characters."""
    manifest, report = candidate.model.manifest, candidate.report
    parts = (
        f"Ranks {manifest.subject}s by their risk of smuggling, with {len(manifest.features)} "
        "features.",
        origin.in_words,
        _windows(manifest),
        _figures("All inspected", report.inspected),
        report.population_in_words,
        _where_to_look(manifest),
    )
    return "\n\n".join(parts)


def note_on_model(subject: str) -> str:
    """Describe a registered model and the meaning of its aliases."""
    return f"Ranks {subject}s by their risk of smuggling. {ALIASES}"


def _windows(manifest: Manifest) -> str:
    def line(name: str, window: WindowFigures) -> str:
        return (
            f"- {name}: {window.begins:%Y-%m-%d} until {window.ends:%Y-%m-%d}, "
            f"{window.labelled:,} labelled, {window.confirmed:,} confirmed"
        )

    windows = manifest.training_window
    named = (("fit", windows.fit), ("calibration", windows.calibration))
    return "\n".join(line(*window) for window in (*named, ("evaluation", windows.evaluation)))


def _figures(title: str, figures: Figures) -> str:
    return (
        f"**{title}**: ROC-AUC {spelt(figures.roc_auc)}, PR-AUC {spelt(figures.pr_auc)}, "
        f"calibration error {spelt(figures.ece)}."
    )


def _where_to_look(manifest: Manifest) -> str:
    line = manifest.calibration
    return (
        "`evaluation/intervals.json` has the interval of every metric, `evaluation/report.html` "
        "the whole evaluation, `pictures/` the plots, `training_set/records.json` what the records "
        "were, `artefact/` what is served. The source of each dataset loads the training set "
        "again, while the version is champion, challenger or shadow. The native "
        "model's probabilities are not calibrated; from its margins (`raw_score=True`) they are "
        f"1 / (1 + exp(-({line.intercept:.4g} + {line.slope:.4g} × margin)))."
    )
