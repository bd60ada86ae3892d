"""The tool that damages code: what it changes, what it leaves alone, and what it says."""

from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

from tests.mutants.declarations import OPERATORS
from tests.mutants.enumeration import Target, mutations, targets, targets_of_rights
from tests.mutants.report import REASONS, Score, key_of, reasons, scores, table, without_reason
from tests.mutants.trial import Verdict

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """
Mass = Callable[[int, str], float]


@feature(unit="kg", sentence="it weighs", computed=rate("goods", by=("code", "origin")))
def mass(count: int | None = total("shipments", "mass_g", by="code", days=30)) -> int | None:
    return max(count, 1) - 1


def read() -> str:
    try:
        return first["a"] + first.get("a") + first.get('a')
    except (tomllib.TOMLDecodeError, KeyError):
        return ""


def part(count: int, *, weight: int) -> float:
    return ratio(count, weight)
"""


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The source after each of its mutations."""
    monkeypatch.chdir(tmp_path)
    Path("mass.py").write_text(SOURCE)
    return [
        str(mutate_code(SOURCE, get_operator(m.operator_name)(), m.occurrence))
        for m in mutations(Target("", 1.0, "mass.py", ()))
    ]


def test_windows_keys_and_calls_are_mutated(changes: list[str]) -> None:
    for passage in (
        'mean("shipments", "mass_g", by="code", days=30)',
        'total("shipments", "mass_g", by="code")',
        'total("shipments", "mass_g", by="code", days= 31)',
        'by=( "origin",)',
        "min(count, 1)",
        "ratio( weight,count)",
        "max(count, 1) + 1",
    ):
        assert any(_close(passage) in _close(change) for change in changes), passage


def test_an_exception_named_by_its_module_is_left_out_but_not_replaced(
    changes: list[str],
) -> None:
    for passage in ("except (KeyError,)", "except (tomllib.TOMLDecodeError,)"):
        assert any(_close(passage) in _close(change) for change in changes), passage


def test_other_quotes_are_no_mutation(changes: list[str]) -> None:
    for change in changes:
        assert "get(\"a\") + first.get('a')" in change.replace("- first", "+ first")


def test_words_for_readers_and_types_are_left_alone(changes: list[str]) -> None:
    for change in changes:
        assert 'unit="kg", sentence="it weighs"' in change
        assert change.count("int | None") == 2
        assert "Callable[[int, str], float]" in change


def test_what_has_no_order_is_not_swapped_and_what_is_no_product_not_divided(
    changes: list[str],
) -> None:
    assert not [change for change in changes if "max(1,count)" in _close(change)]
    assert all("*,weight" in _close(change) for change in changes)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_mutation_of_ours_does_what_its_example_says(name: str) -> None:
    for example in OPERATORS[name].examples():
        mutated = mutate_code(example.pre_mutation_code, OPERATORS[name](), example.occurrence)
        assert mutated == example.post_mutation_code


def test_every_target_is_there_with_its_tests() -> None:
    every = list(targets(ROOT))

    assert {"families", "gates", "lanes", "review", "access", "retention"} <= {
        target.group for target in every
    }
    for target in every:
        for test in target.tests:
            assert (ROOT / test).exists(), f"{target.file} wants {test}"


def test_the_code_and_tests_of_a_right_are_those_of_its_row() -> None:
    of_rights = [target for target in targets_of_rights(ROOT) if target.group in ("R18", "R54")]

    assert {target.file for target in of_rights if target.group == "R54"} == {
        "serving/audit/impact_assessment.py"
    }
    assert "features/engine/batch/__init__.py" not in {target.file for target in of_rights}
    assert "training/data/time_split.py" in {target.file for target in of_rights}
    assert all("::" in test for target in of_rights for test in target.tests)


def test_every_gate_and_every_estimate_is_a_target() -> None:
    mutated = {target.file for target in targets(ROOT)}
    for room in ("training/gates", "training/estimation"):
        for file in (ROOT / room).rglob("*.py"):
            assert file.name == "__init__.py" or file.relative_to(ROOT).as_posix() in mutated


def test_a_survivor_is_told_unless_it_has_a_reason() -> None:
    lives = Verdict("lanes", "a.py", "draw", "a > b", "a >= b", is_noticed=False)
    noticed = Verdict("lanes", "a.py", "draw", "a > b", "a < b", is_noticed=True)
    (row,) = without_reason([lives, noticed], {})
    page = f"| kind |\n|---|\n{row.replace('lives', 'equivalent', 1)[:-2]} a and b never meet |"

    known = reasons(page)

    assert known == {key_of(lives): "equivalent"}
    assert without_reason([lives, noticed], known) == []


def test_equivalent_mutants_count_for_nothing_and_those_that_live_count_against() -> None:
    verdicts = [Verdict("lanes", "a.py", "f", "x", str(n), is_noticed=n > 1) for n in range(10)]
    group = Target("lanes", 0.9, "a.py", ())
    known = {key_of(verdicts[0]): "equivalent", key_of(verdicts[1]): "lives"}

    (score,) = scores(verdicts, known, [group])

    assert score == Score("lanes", 0.9, tried=10, equivalent=1, noticed=8)
    assert table([score]).endswith("| lanes | 10 | 1 | 8 | 88.9% | 90% |")


def test_every_reason_is_about_code_that_stands_there() -> None:
    for file, within, change in reasons(REASONS.read_text(encoding="utf-8")):
        source = _close((ROOT / file).read_text(encoding="utf-8"))
        was, _, _ = change.removeprefix("`").partition("` → `")
        name = within.replace("the module", "")
        assert _close(was) in source, f"{file} has no {was}"
        assert f"def{name}" in source or f"class{name}" in source, f"{file} has no {within}"


def _close(code: str) -> str:
    return "".join(code.split())
