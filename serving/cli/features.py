"""`tidegate features`: the catalogue, from names to lines of code."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from features.records import SubjectKind
from serving.cli.options import Json
from serving.cli.output import print_json

if TYPE_CHECKING:
    from features.definition import Feature


def features(
    name: Annotated[str | None, typer.Argument(help="One feature; all of them without.")] = None,
    as_json: Json = False,
) -> None:
    """Show what features there are, what they mean and where they are defined."""
    from features.catalogue import feature_named, features_by_name

    if name and as_json:
        print_json(_card(feature_named(name)))
    elif name:
        _print_card(_card(feature_named(name)))
    elif as_json:
        print_json(_catalogue())
    else:
        _print_list(features_by_name().values())


def _catalogue() -> dict[str, Any]:
    """Return each kind's fingerprint, and its features in order with computation digests."""
    from features.catalogue import features_of
    from features.digests.computations import catalogue_fingerprint, computation_digests

    return {
        kind: {
            "fingerprint": catalogue_fingerprint(kind),
            "features": [
                {"name": each.name, "computation": computation_digests(kind)[each.name]}
                | _face(each)
                for each in features_of(kind)
            ],
        }
        for kind in get_args(SubjectKind)
    }


def _card(feature: "Feature") -> dict[str, Any]:
    """Return the description of a feature, with its digest for each kind of subject."""
    from features.digests.computations import digests_of

    return _face(feature) | {"computation": digests_of(feature)}


def _face(feature: "Feature") -> dict[str, Any]:
    from features.indicators import sign_of

    about = {"sign_of": sign_of(feature.indicator), "defined_at": feature.defined_at}
    return feature.face() | about


def _print_card(card: dict[str, Any]) -> None:
    digests = [f"{digest} ({kind})" for kind, digest in card["computation"].items()]
    for label, text in (card | {"computation": digests}).items():
        shown = "; ".join(text) if isinstance(text, list) else text
        typer.echo(f"{label:<13} {shown}")


def _print_list(features: "Iterable[Feature]") -> None:
    for each in features:
        typer.echo(f"{each.name:<38} {each.unit.value:<12} {each.defined_at}")
