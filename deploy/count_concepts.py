"""Count what a newcomer must hold in the head: `python -m deploy.count_concepts [--json]`.

Rules, on the files that git tracks:

- *core* is every Python file outside `tests`, `experiments` and `serving/client`;
- a function or class is a `def`, `async def` or `class` statement at any depth;
- a duplicate public function name has no leading underscore and is defined at the top level of two
  or more core modules; a duplicate class name is defined twice at any depth;
- an error class inherits, in the core, from a built-in exception or from another error class;
- a protocol names `Protocol` among its bases;
- a docstring asks where it begins with What, Whether, How, Which or Where;
- a command is a leaf of the command tree: what `tidegate GROUP NAME --help` describes;
- a setting is a row of `docs/configuration.md`, which is generated: one environment variable of the
  service, or one or more of commands that a row names together;
- a comment is a line that holds nothing else, linter directives excepted;
- lines are physical lines; those of tests include TOML.
"""

import argparse
import ast
import builtins
import io
import json
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

ASKS = re.compile(r"(What|Whether|How|Which|Where)\b")
DIRECTIVE = re.compile(r"#\s*(noqa|type:|pragma:|!)")
BUILT_IN_ERRORS = {
    name
    for name, found in vars(builtins).items()
    if isinstance(found, type) and issubclass(found, BaseException)
}


def main() -> None:
    """Print the counts, one per line or as one JSON object."""
    parser = argparse.ArgumentParser(description="Count functions, classes, lines and pages.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    counts = concepts(tracked_files()) | {"commands": len(commands())}
    if parser.parse_args().json:
        print(json.dumps(counts))
        return
    for name, count in counts.items():
        print(f"{count:>10,}  {name}" if isinstance(count, int) else f"{count:>10.3f}  {name}")


def tracked_files() -> list[Path]:
    """Return the files that git tracks below the working directory and that exist."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], text=True)  # noqa: S607  our git
    return [Path(name) for name in listed.split("\0") if name and Path(name).is_file()]


def concepts(files: Iterable[Path]) -> dict[str, float]:
    """Return each count by its name; ratios are per docstring or per hundred lines."""
    # An iterator could be read only once.
    files = list(files)
    python = [file for file in files if file.suffix == ".py"]
    tests = [file for file in files if file.parts[0] == "tests" and file.suffix in {".py", ".toml"}]
    outside_tests = [file for file in python if file.parts[0] != "tests"]
    core = [
        file
        for file in outside_tests
        if not (file.parts[0] == "experiments" or file.parts[:2] == ("serving", "client"))
    ]
    trees = [ast.parse(file.read_text()) for file in core]
    definitions = [node for tree in trees for node in _definitions(tree)]
    classes = [node for node in definitions if isinstance(node, ast.ClassDef)]
    docstrings = [text for node in definitions if (text := ast.get_docstring(node))]
    core_lines = _lines(core)
    return {
        "functions and classes": len(definitions),
        "duplicate public function names": _duplicates(
            name for tree in trees for name in _public_functions(tree)
        ),
        "duplicate class names": _duplicates(node.name for node in classes),
        "error classes": len(_error_classes(classes)),
        "protocols": sum("Protocol" in _base_names(node) for node in classes),
        "docstrings that ask, share": sum(bool(ASKS.match(text)) for text in docstrings)
        / len(docstrings),
        "comments per 100 lines": 100 * sum(map(_comments, core)) / core_lines,
        "lines outside tests": _lines(outside_tests),
        "lines of the core": core_lines,
        "lines of tests": _lines(tests),
        "settings": _settings(files),
        "pages of docs": sum(file.parts[0] == "docs" and file.suffix == ".md" for file in files),
        "pages of decisions": sum(file.match("docs/adr/[0-9]*.md") for file in files),
    }


def _definitions(tree: ast.Module) -> Iterator[Definition]:
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def _public_functions(tree: ast.Module) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in tree.body
        if isinstance(node, functions) and not node.name.startswith("_")
    }


def _duplicates(names: Iterable[str]) -> int:
    return sum(count > 1 for count in Counter(names).values())


def _base_names(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}


def _error_classes(classes: list[ast.ClassDef]) -> set[str]:
    errors = set(BUILT_IN_ERRORS)
    # Until nothing is found: a class may inherit from an error that is found later.
    while found := {
        node.name for node in classes if node.name not in errors and _base_names(node) & errors
    }:
        errors |= found
    return errors - BUILT_IN_ERRORS


def _comments(file: Path) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
    return sum(
        token.type == tokenize.COMMENT
        and token.line.lstrip().startswith("#")
        and not DIRECTIVE.match(token.string)
        for token in tokens
    )


def _settings(files: list[Path]) -> int:
    page = Path("docs/configuration.md")
    return page.read_text().count("\n| `TIDEGATE_") if page in files else 0


def commands() -> list[str]:
    """Return every command of `tidegate` with its group, in the order of the help."""
    import typer  # noqa: PLC0415  the command line is not needed to count files

    from serving.cli.main import app  # noqa: PLC0415  likewise

    def leaves(command: object, words: tuple[str, ...]) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if below is None:
            yield " ".join(words)
            return
        for name, each in below.items():
            yield from leaves(each, (*words, name))

    return [*leaves(typer.main.get_command(app), ())]


def _lines(files: Iterable[Path]) -> int:
    return sum(file.read_text().count("\n") for file in files)


if __name__ == "__main__":
    main()
