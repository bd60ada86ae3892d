"""Trials of a search as runs nested in the run of the training that it led to."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from training.search_trial import Trial

# Metrics per request; the store refuses more than 1,000 entries.
MAX_BATCH = 900


def write_trials(
    client: MlflowClient, experiment: str, parent: str, trials: Iterable[Trial]
) -> None:
    """Create a run for each trial; pruned trials end as KILLED."""
    for trial in trials:
        run_id = client.create_run(
            experiment,
            start_time=_in_ms(trial.begun_at),
            tags={
                MLFLOW_PARENT_RUN_ID: parent,
                "mlflow.runName": f"trial {trial.number}",
                "tidegate.is_given_up": str(trial.is_given_up).lower(),
            },
        ).info.run_id
        _write(client, run_id, trial)
        status = "KILLED" if trial.is_given_up else "FINISHED"
        client.set_terminated(run_id, status, end_time=_in_ms(trial.ended_at))


def _write(client: MlflowClient, run_id: str, trial: Trial) -> None:
    at = _in_ms(trial.ended_at)
    client.log_batch(
        run_id,
        metrics=[Metric("best_ranking_loss", trial.loss, at, 0)],
        params=[Param(f"trees.{name}", str(value)) for name, value in trial.parameters.items()],
    )
    write_losses(client, run_id, trial.losses, at)


def write_losses(
    client: MlflowClient, run_id: str, losses: Mapping[int, float], at_ms: int
) -> None:
    """Log the ranking loss on held-back rows by number of trees."""
    curve = [Metric("ranking_loss", loss, at_ms, trees) for trees, loss in losses.items()]
    for start in range(0, len(curve), MAX_BATCH):
        client.log_batch(run_id, metrics=curve[start : start + MAX_BATCH])


def _in_ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
