"""`tidegate dossier`: the technical file of a model version."""

import json
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.audit import write_reading
from serving.cli.options import DEFAULT_HOME, Home, Json
from serving.cli.output import messages, print_json


def dossier(
    model: Annotated[
        str, typer.Argument(help="tidegate-shipment@champion, tidegate-shipment/3 or a folder.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/dossiers/<model>/<version> without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Gather all that is on file about a model version, for whoever must answer for it."""
    from features.atomic_dir import written_whole
    from training.dossier.dossier_page import page
    from training.dossier.gathered import Dossier
    from training.model.model_home import ModelHome

    write_reading("export", "dossier", model, home=home)
    gathered = Dossier.gather(model, ModelHome(home))
    registration = gathered.registration
    folder = out or home / "dossiers" / registration.name / registration.version
    with written_whole(folder) as partial:
        (partial / "dossier.html").write_text(page(gathered), encoding="utf-8")
        (partial / "dossier.json").write_text(json.dumps(gathered.as_json, indent=1))
    if as_json:
        print_json(gathered.as_json)
    messages.print(f"the technical file: {folder / 'dossier.html'}")
