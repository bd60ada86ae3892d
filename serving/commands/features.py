"""`tidegate features`: the catalogue, from a name to the line of code."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import Json
from serving.commands.printing import print_json


def features(
    name: Annotated[str | None, typer.Argument(help="One feature; all of them without.")] = None,
    messages: Annotated[
        Path | None, typer.Option(help="File to write for translators: every text of a reason.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what features there are, what they mean and where they are defined."""
    from features.catalogue import feature_named, features_by_name
    from features.indicators import INDICATORS

    if messages is not None:
        from serving.explanation.messages import template

        messages.write_bytes(template())

    chosen = [feature_named(name)] if name else list(features_by_name().values())
    faces = [
        feature.face()
        | {"sign_of": INDICATORS[feature.indicator], "defined_at": feature.defined_at}
        for feature in chosen
    ]
    if as_json:
        print_json(faces[0] if name else faces)
    elif name:
        _print_card(faces[0])
    else:
        _print_list(faces)


def _print_card(face: dict[str, str | list[str]]) -> None:
    for label, text in face.items():
        shown = "; ".join(text) if isinstance(text, list) else text
        typer.echo(f"{label:<13} {shown}")


def _print_list(faces: list[dict[str, str | list[str]]]) -> None:
    for face in faces:
        typer.echo(f"{face['name']:<38} {face['unit']:<12} {face['defined_at']}")
