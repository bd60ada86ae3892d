"""`tidegate dossier`: technical file of a model version."""

import json
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home


@on_home
def dossier(
    at: OpenedHome,
    model: Annotated[
        str, typer.Argument(help="tidegate-shipment@champion, tidegate-shipment/3 or a folder.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/dossiers/<model>/<version> without.")
    ] = None,
) -> CommandOutput:
    """Gather all that is on file about a model version, for those who must answer for it."""
    from features.atomic_dir import written_whole
    from training.dossier.dossier_page import render_dossier
    from training.dossier.gathered import Dossier
    from training.model.model_home import ModelHome

    at.record_reading("export", "dossier", model)
    gathered = Dossier.gather(model, ModelHome(at.home))
    registration = gathered.registration
    folder = out or at.home / "dossiers" / registration.name / registration.version
    with written_whole(folder) as partial:
        (partial / "dossier.html").write_text(render_dossier(gathered), encoding="utf-8")
        (partial / "dossier.json").write_text(json.dumps(gathered.as_json, indent=1))
    return CommandOutput(gathered.as_json, (), (f"the technical file: {folder / 'dossier.html'}",))
