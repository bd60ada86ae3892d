"""`tidegate languages`: the texts to translate, and whether a translation can be used."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.output import messages

languages = typer.Typer(
    help="Translations of what people read: the texts to translate, and checks of a translation.",
    no_args_is_help=True,
)


@languages.command()
def template(
    file: Annotated[Path, typer.Argument(help="The file to write, for translators (gettext).")],
) -> None:
    """Write every text that a person reads, of pages, letters and reasons, as a template."""
    from serving.web.translation_template import translation_template

    file.write_bytes(translation_template())


@languages.command()
def check(
    file: Annotated[Path, typer.Argument(help="A translation, named by its language: `de.po`.")],
) -> None:
    """Say what a translation lacks; exit 1 where it cannot be used."""
    from serving.language import Language
    from serving.web.translation_template import untranslated

    try:
        Language.read(file)
    except (OSError, ValueError) as refusal:
        messages.print(str(refusal))
        raise typer.Exit(1) from None
    missing = untranslated(file)
    messages.print(f"{file}: {len(missing)} texts stay English")
    for text in missing:
        typer.echo(text)
