"""A supervisor that starts workers, and logs and replaces those that end."""

import signal
from socket import socket

import structlog
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from serving.process.worker_metrics import WorkersReplaced

log = structlog.get_logger(__name__)

# A worker reads the models and the feature store before it answers, for seconds on a busy machine.
START_WITHIN_S = 120


class WorkerSupervisor(Multiprocess):
    """uvicorn's supervisor with a log line and a metric for each replaced worker.

    uvicorn also kills and replaces workers that do not answer within some seconds, and at SIGHUP
    replaces all workers one by one.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket]):
        super().__init__(config, sockets)
        self._replaced = WorkersReplaced()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that ended or do not answer, and report each."""
        # Before the call: afterwards a hung worker, which uvicorn kills, looks like one that ended.
        before = [(each, each.process.is_alive()) for each in self.processes]
        super().keep_subprocess_alive()
        for number, ((former, was_running), now) in enumerate(
            zip(before, self.processes, strict=True), start=1
        ):
            if former is not now:
                self._replaced.count()
                _report(number, former, is_hung=was_running)

    def restart_all(self) -> None:
        """Replace each worker once its successor answers, and report whether all were replaced."""
        before = list(self.processes)
        # uvicorn waits for a successor as long as for the answer of a worker that runs.
        usual_s = self.config.timeout_worker_healthcheck
        self.config.timeout_worker_healthcheck = START_WITHIN_S
        try:
            super().restart_all()
        finally:
            self.config.timeout_worker_healthcheck = usual_s
        kept = [worker.pid for worker in before if worker in self.processes]
        if not kept:
            log.info("workers_restarted", workers=len(before))
        elif not self.should_exit.is_set():
            log.error("workers_not_restarted", kept=kept, within_s=START_WITHIN_S)


def _report(number: int, worker: Process, *, is_hung: bool) -> None:
    code = worker.exitcode or 0
    by = {"signal": signal.Signals(-code).name} if code < 0 else {"exit_code": code}
    event = "worker_hung" if is_hung else "worker_ended"
    log.warning(event, worker=number, process_id=worker.pid, **by)
