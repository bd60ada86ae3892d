"""`tidegate verify-log`: is the decision log whole?"""

from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Home, Json
from serving.commands.printing import messages, print_json


def verify_log(
    size: Annotated[
        int | None, typer.Option(min=1, help="How many records the log had earlier.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Its head at that size.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Check every record and the chain between them, and name the first that is wrong.

    Keep the size and head that it prints somewhere the service cannot write: given back later,
    they show whether the end was cut off or an older copy put in place.
    """
    from serving.settings import Settings
    from serving.store.engine import open_database
    from serving.store.log_proof import Mark, prove

    if (size is None) != (head is None):
        raise typer.BadParameter("give --size and --head together")
    earlier = Mark(size, head) if size is not None and head is not None else None
    engine = open_database(Settings(home=home).database, is_service=False)
    proof = prove(engine, earlier)
    if as_json:
        print_json(
            {
                "whole": proof.is_whole,
                "size": proof.mark.size,
                "head": proof.mark.head,
                "first_bad": proof.first_bad,
                "why": proof.why,
            }
        )
    elif proof.is_whole:
        messages.print(f"whole: {proof.mark.size:,} records, head {proof.mark.head}")
    else:
        messages.print(f"record {proof.first_bad}: {proof.why}")
    if not proof.is_whole:
        raise typer.Exit(1)
