"""`tidegate fit-worker`: a machine that grows trees for a training elsewhere."""

from typing import Annotated

import typer

from serving.cli.growers import address, key
from serving.cli.output import messages

# The training may start later, and reads its training set first.
WAITS_S = 600.0


def fit_worker(
    where: Annotated[
        str,
        typer.Argument(
            metavar="HOST:PORT", help="Where `tidegate train --workers N --listen` waits."
        ),
    ],
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Where other workers reach this one; any free port for 0."
        ),
    ] = 0,
) -> None:
    """Grow trees with other workers on a part of the rows, until the training has its trees.

    The training set must have the same path here as where the training began. What workers send
    each other is not encrypted: let them share a network with nobody else.
    """
    from training.fit.workers.worker import work

    work(address(where, "HOST:PORT"), key().encode(), port, WAITS_S)
    messages.print("the trees have grown")
