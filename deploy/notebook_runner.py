"""Run the notebooks of a folder without Jupyter, and write them with outputs and figures.

    python -m deploy.notebook_runner docs/notebooks build/notebooks

They run in the order of `ORDER`, one after the other, in a scratch folder that they share, since
later ones read what earlier ones made.
"""

import ast
import base64
import json
import linecache
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ORDER = ("first_model", "own_data", "new_feature", "reading_honestly")
_COMMAND = re.compile(r"^(\s*)!(.+)$", re.MULTILINE)

Cell = dict[str, Any]
Output = dict[str, Any]


class CellFailed(Exception):
    """A cell of a notebook that raised, or whose command failed."""


def run_notebook(path: Path, folder: Path) -> dict[str, Any]:
    """Return a notebook with the outputs of its cells, run in a folder; raises CellFailed.

    A line that begins with `!` is a command. Outputs are what is printed, the value of a last
    expression without a semicolon, and open figures of matplotlib.
    """
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__", "_command": _command}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    with chdir(folder):
        for count, cell in enumerate(code, start=1):
            cell["execution_count"] = count
            try:
                cell["outputs"] = [*_outputs(cell, names, f"<{path.stem}, cell {count}>")]
            except Exception as error:
                raise CellFailed(f"{path.name}, cell {count}: {error!r}") from error
    return notebook


def _outputs(cell: Cell, names: dict[str, Any], place: str) -> Iterator[Output]:
    source = "".join(cell["source"])
    python = _COMMAND.sub(lambda line: f"{line[1]}_command({line[2]!r})", source)
    # Tracebacks and `inspect` find the code there, as in Jupyter.
    linecache.cache[place] = (len(python), None, python.splitlines(keepends=True), place)
    tree = ast.parse(python, place)
    shown = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        shown = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    with redirect_stdout(StringIO()) as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that figures have no window here
        exec(compile(tree, place, "exec"), names)  # noqa: S102 - that is what a notebook is
        value = eval(compile(shown, place, "eval"), names) if shown else None  # noqa: S307
    if text := printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}
    figures = [*_figures()]
    if value is not None and not figures:
        yield _displayed(_forms_of(value))
    yield from (_displayed({"image/png": png, "text/plain": "<figure>"}) for png in figures)


def _command(line: str) -> None:
    """Run a command of a shell, with the tools of this environment, and print what it says."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    ran = subprocess.run(  # noqa: S602 - a cell names it
        line,
        shell=True,
        env={**os.environ, "PATH": path, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise CellFailed(f"$ {line}\n{ran.stdout}{ran.stderr}")
    said = (ran.stdout + ran.stderr).splitlines()
    print(*(each for each in said if "━" not in each), sep="\n")  # without bars of progress


def _forms_of(value: Any) -> dict[str, Any]:
    as_html = getattr(value, "_repr_html_", None)
    html = as_html() if callable(as_html) else None
    return {"text/plain": repr(value)} | ({"text/html": html} if html else {})


def _displayed(forms: dict[str, Any]) -> Output:
    return {"data": forms, "metadata": {}, "output_type": "display_data"}


def _figures() -> Iterator[str]:
    """Yield the open figures as PNG in base64, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        picture = BytesIO()
        pyplot.figure(number).savefig(picture, format="png", dpi=80, bbox_inches="tight")  # type: ignore[union-attr]
        yield base64.b64encode(picture.getvalue()).decode()
    if pyplot:
        pyplot.close("all")


def main(notebooks: Path, out: Path) -> None:
    """Run every notebook and write it to `out`; print how long each took."""
    os.environ["MPLBACKEND"] = "agg"
    out.mkdir(parents=True, exist_ok=True)
    into = out.resolve()
    with TemporaryDirectory() as scratch:
        for name in ORDER:
            began_s = time.monotonic()
            ran = run_notebook((notebooks / f"{name}.ipynb").resolve(), Path(scratch))
            text = json.dumps(ran, indent=1, ensure_ascii=False) + "\n"
            (into / f"{name}.ipynb").write_text(text, encoding="utf-8")
            print(f"{name}: {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
