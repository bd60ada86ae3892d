"""Every recipe of CONTRIBUTING.md is followed in a copy, and the tests that it names pass there."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import count
from tests.docs.recipes import ROOT, Recipe, RecipeBroken, recipes
from tests.forked_pytest import copy_project

RECIPES = recipes()
FOLLOWED = [recipe for recipe in RECIPES if count(recipe.name == "An estimator", True)]
"""Ordinary runs follow one: the others trace every feature anew, or train or serve a model."""
WANTED = [
    "A feature",
    "A record field",
    "A record type",
    "A route of the API",
    "A page of the console",
    "A command",
    "A case act",
    "An estimator",
    "A lane",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


def run(command: str, copy: Path) -> str:
    """What a command prints in the copy, with the tools of this environment."""
    words = shlex.split(command.replace(".venv/bin/python", sys.executable))
    path = os.pathsep.join((str(copy), str(copy / "data")))
    ran = subprocess.run(
        [*words, "-q", "-p", "no:cacheprovider"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path, "TIDEGATE_FAULTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"$ {command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_there_is_a_recipe_for_everything_that_is_added_often() -> None:
    assert [recipe.name for recipe in RECIPES] == WANTED


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_edit_of_a_recipe_applies_to_the_code_as_it_is(recipe: Recipe) -> None:
    assert recipe.edits
    assert recipe.commands
    for edit in recipe.edits:
        text = (ROOT / edit.file).read_text() if (ROOT / edit.file).exists() else ""
        assert edit.added not in text
        edit.edited(text)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_everything_that_a_recipe_imports_is_there(recipe: Recipe) -> None:
    made = {edit.file.removesuffix(".py").replace("/", ".") for edit in recipe.edits}
    imported = [
        (module, name)
        for edit in recipe.edits
        for module, names in re.findall(r"^ *from (\S+) import (.+)$", edit.added, re.MULTILINE)
        for name in names.split(", ")
        if f"{module}.{name.split(' as ')[0]}" not in made
    ]

    assert [
        (module, name)
        for module, name in imported
        if module not in made and not hasattr(importlib.import_module(module), name)
    ] == []


@pytest.mark.faults
@pytest.mark.parametrize("recipe", FOLLOWED, ids=lambda recipe: recipe.name)
def test_a_recipe_that_is_followed_in_a_copy_passes_the_tests_that_it_names(
    recipe: Recipe, copy: Path
) -> None:
    for edit in recipe.edits:
        edit.apply(copy)
    for command in recipe.commands:
        assert " passed" in run(command, copy)


def test_an_edit_whose_place_is_gone_is_refused(copy: Path) -> None:
    (edit, *_) = [edit for recipe in RECIPES for edit in recipe.edits if edit.line]
    (copy / edit.file).write_text("")

    with pytest.raises(RecipeBroken, match="has 0 lines"):
        edit.apply(copy)
