"""Workers that grow the trees of a training, chosen by its options."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import Engine, master_of

if TYPE_CHECKING:
    from training.fit.workers.worker_group import WorkerGroup

# Workers reach each other over a network where anyone might connect.
MIN_KEY_LENGTH = 16

WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="Let so many workers grow the trees, each with its part of the rows; as processes of "
        "this machine where neither --listen nor --engine spark says otherwise.",
    ),
]
ListenOption = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of this machine where workers come that others start: `tidegate fit-worker "
        "HOST:PORT`, with the same TIDEGATE_WORKERS_KEY in the environment.",
    ),
]
Address = tuple[str, int]


def chosen_growers(
    workers: int | None, listen: str | None, engine: Engine, master: str | None
) -> "AbstractContextManager[WorkerGroup | None]":
    """Return the workers that the options ask for, not yet started."""
    where = None if listen is None else address(listen, "--listen")
    if workers is None:
        given = {"--listen": listen, "--master": master, "--engine": engine is Engine.SPARK}
        if asked := [name for name, value in given.items() if value]:
            raise typer.BadParameter("goes with --workers", param_hint=asked[0])
        return nullcontext()
    if (spark := master_of(engine, master)) is not None:
        from training.fit.workers.launchers import workers_on_spark

        return workers_on_spark(workers, spark, where)
    return _of_this_machine_or_others(workers, where)


def _of_this_machine_or_others(
    workers: int, where: Address | None
) -> "AbstractContextManager[WorkerGroup]":
    from training.fit.workers.launchers import workers_here, workers_invited

    return workers_here(workers) if where is None else workers_invited(workers, where, key())


def address(text: str, option: str) -> Address:
    """Return host and port of a text HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 1 << 16:
        raise typer.BadParameter(f"want HOST:PORT, got {text!r}", param_hint=option)
    return host, int(port)


def key() -> str:
    """Return the secret by which workers and the training authenticate each other."""
    from training.fit.workers.connection import KEY_VARIABLE

    given = os.environ.get(KEY_VARIABLE, "")
    if len(given) < MIN_KEY_LENGTH:
        raise typer.BadParameter(
            f"workers elsewhere need a secret of {MIN_KEY_LENGTH} or more letters, the same "
            f"on all, as {KEY_VARIABLE} in the environment",
            param_hint=KEY_VARIABLE,
        )
    return given
