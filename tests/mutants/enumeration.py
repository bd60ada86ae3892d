"""Which mutants there are: targets from their table, mutations by Cosmic Ray."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.plugins import OPERATOR_PROVIDERS
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec

from tests.docs.named_places import named
from tests.mutants.declarations import OPERATORS
from tests.test_rights import ROWS

OPERATOR_PROVIDERS["declarations"] = OPERATORS
TARGETS = Path(__file__).parent / "targets.toml"
WANTED_OF_A_RIGHT = 0.9

# Of each operator the mutations that are hard to notice: a sign turned, a bound moved over its edge
# or to the other side. The many others that Cosmic Ray has would make a run long and a score look
# better, and so would caches taken away.
TURNED = {
    "Binary": (
        "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitOr_BitAnd BitAnd_BitOr"
    ),
    "Comparison": (
        "Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is In_NotIn NotIn_In "
        "Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt"
    ),
    "Unary": "USub_UAdd Invert_UAdd Delete_Not",
}
_TURNED = {
    f"core/Replace{kind}Operator_{pair}" for kind, pairs in TURNED.items() for pair in pairs.split()
}
_MANY = re.compile(r"core/(Replace(Binary|Comparison|Unary)Operator_\w+|RemoveDecorator)")

Span = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Target:
    """A file to mutate, the tests that must notice, and the group whose score it counts in.

    `is_pure` says that the tests need no fixture of a folder above them, and may run without: ten
    times as fast below `tests/serving`, whose fixtures import the whole service. `within` is the
    function to mutate, empty for the whole file.
    """

    group: str
    wanted: float
    file: str
    tests: tuple[str, ...]
    is_pure: bool = False
    within: str = ""


def targets(root: Path) -> Iterator[Target]:
    """Every file of every group, each with its tests."""
    for group in tomllib.loads(TARGETS.read_text(encoding="utf-8"))["group"]:
        for pattern in group["files"]:
            for file in sorted(root.glob(pattern)):
                name = file.relative_to(root).as_posix()
                left_out = *group.get("types_alone", ()), *group.get("of_other_groups", ())
                if file.name == "__init__.py" or name in left_out:
                    continue
                asked = group.get("tests_of", {}).get(name, group["tests"])
                folder = Path(name).parent.as_posix()
                tests = tuple(test.format(stem=file.stem, folder=folder) for test in asked)
                yield Target(
                    group["name"], group["wanted"], name, tests, group.get("is_pure", False)
                )


def targets_of_rights(root: Path) -> Iterator[Target]:
    """Every file that a row of `docs/rights.md` names, with the tests of that row as its group."""
    for right, (where, tests) in ROWS.items():
        for place in named(where):
            pattern, _, within = place.partition("::")
            for path in sorted(root.glob(pattern)):
                for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                    if file.suffix == ".py" and file.name != "__init__.py":
                        name = file.relative_to(root).as_posix()
                        asked = tuple(named(tests))
                        yield Target(right, WANTED_OF_A_RIGHT, name, asked, within=within)


def mutations(target: Target) -> list[MutationSpec]:
    """The mutations of a file, seen from the working directory, that could change what it does."""
    with use_db(":memory:", WorkDB.Mode.create) as session:
        init([Path(target.file)], session, {})
        every = [mutation for item in session.work_items for mutation in item.mutations]
    source = Path(target.file).read_text(encoding="utf-8")
    annotations = list(_annotations(source))
    return [
        mutation
        for mutation in every
        if target.within in ("", mutation.definition_name)
        and (mutation.operator_name in _TURNED or not _MANY.fullmatch(mutation.operator_name))
        and not any(begin <= mutation.start_pos < end for begin, end in annotations)
        and not _is_beyond_cosmic_ray(mutation, source)
        and not _ends_places(source, mutation.start_pos)
    ]


def _is_beyond_cosmic_ray(mutation: MutationSpec, source: str) -> bool:
    """Whether an exception is named by its module, which Cosmic Ray offers to replace and cannot.

    Where there are several, one is left out by a mutation of ours.
    """
    (line, begin), (_, end) = mutation.start_pos, mutation.end_pos
    is_exception = mutation.operator_name == "core/ExceptionReplacer"
    return is_exception and "." in source.splitlines()[line - 1][begin:end]


def _ends_places(source: str, at: tuple[int, int]) -> bool:
    """Whether an asterisk stands there that is no product: after it arguments go by their names."""
    line, column = at
    return source.splitlines()[line - 1].startswith("*,", column)


def _annotations(source: str) -> Iterator[Span]:
    """Where types are written: what stands there is read by people and type checkers alone."""
    for node in ast.walk(ast.parse(source)):
        for written in _types_of(node):
            end = (written.end_lineno or 0, written.end_col_offset or 0)
            yield (written.lineno, written.col_offset), end


def _types_of(node: ast.AST) -> Iterator[ast.expr]:
    for field in ("annotation", "returns"):
        if isinstance(found := getattr(node, field, None), ast.expr):
            yield found
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Callable":
        yield node  # as in an alias, which has no annotation
