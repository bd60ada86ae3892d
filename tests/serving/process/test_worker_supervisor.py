"""Whoever begins workers says which of them ended, and how."""

from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs

from serving.process.worker_supervisor import WorkerSupervisor


def worker(*, is_running: bool, answers: bool, exit_code: int | None) -> Any:
    return SimpleNamespace(
        process=SimpleNamespace(is_alive=lambda: is_running),
        is_alive=lambda timeout: answers,
        pid=4711,
        exitcode=exit_code,
        **dict.fromkeys(("start", "kill", "join"), lambda: None),
    )


WELL = worker(is_running=True, answers=True, exit_code=None)
KILLED = worker(is_running=False, answers=False, exit_code=-9)
FAILED = worker(is_running=False, answers=False, exit_code=1)
HUNG = worker(is_running=True, answers=False, exit_code=-9)


@pytest.mark.parametrize(
    ("ended", "event", "how"),
    [
        (KILLED, "worker_ended", {"signal": "SIGKILL"}),
        (FAILED, "worker_ended", {"exit_code": 1}),
        (HUNG, "worker_hung", {"signal": "SIGKILL"}),
    ],
)
def test_a_worker_that_is_replaced_is_told_with_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, ended: Any, event: str, how: dict[str, object]
) -> None:
    monkeypatch.setattr("uvicorn.supervisors.multiprocess.SIGNALS", {})
    monkeypatch.setattr("uvicorn.supervisors.multiprocess.Process", lambda *_: WELL)
    supervisor = WorkerSupervisor(uvicorn.Config("app", workers=2), [])
    supervisor.processes = [WELL, ended]

    with capture_logs() as lines:
        supervisor.keep_subprocess_alive()
        supervisor.keep_subprocess_alive()

    told = {"event": event, "log_level": "warning", "worker": 2, "process_id": 4711, **how}
    assert lines == [told]
    assert supervisor.processes == [WELL, WELL]
