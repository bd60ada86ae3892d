"""`tidegate languages`: texts for translators, and checks of translations."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.output import messages

TEMPLATE_SUFFIX = ".pot"


def languages(
    file: Annotated[
        Path,
        typer.Argument(
            help="A template to write (`texts.pot`), or a translation to check, named by its "
            "language (`de.po`)."
        ),
    ],
) -> None:
    """Write every text of pages, letters and reasons for translators, or check a translation.

    The check prints the texts that stay English; exit 1 where the translation cannot be used.
    """
    from serving.language import Language
    from serving.web.translation_template import translation_template, untranslated

    if file.suffix == TEMPLATE_SUFFIX:
        file.write_bytes(translation_template())
        return
    try:
        Language.read(file)
    except (OSError, ValueError) as refusal:
        messages.print(str(refusal))
        raise typer.Exit(1) from None
    missing = untranslated(file)
    messages.print(f"{file}: {len(missing)} texts stay English")
    for text in missing:
        typer.echo(text)
