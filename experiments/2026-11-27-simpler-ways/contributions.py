"""Contributions by hand-written vectors beside tuples: `contributions.py [ROUNDS]`.

LLVM makes vectors of tuples only where numba lets it look for them (NUMBA_SLP_VECTORIZE, off as
numba comes). A model of 500 trees of 63 leaves and one of 200 of 31 explain one row, 64 and 2,000.
"""

import sys
from time import process_time

import numpy as np
from turns import Figures, in_turn, serve_rounds

ROWS = (1, 64, 2_000)
SHAPES = ((500, 63), (200, 31))
ONE_ROW_CALLS = 30
WAYS: dict[str, dict[str, str]] = {
    "vectors": {},
    "tuples": {},
    "tuples made vectors": {"NUMBA_SLP_VECTORIZE": "1"},
}


def main() -> None:
    """Print a table, or measure one way."""
    if sys.argv[1:2] == ["--child"]:
        _measure(sys.argv[2])
    else:
        in_turn(__file__, WAYS, int(sys.argv[1]) if sys.argv[1:] else 7)


def _measure(way: str) -> None:
    if way != "vectors":
        import plain_vectors  # noqa: PLC0415 - after simd is exchanged

        sys.modules["serving.models.simd"] = plain_vectors
    from experiments.benchmarks.scorer import _trained  # noqa: PLC0415 - after simd is exchanged
    from serving.models.packed_forest import pack_forest  # noqa: PLC0415 - after simd is exchanged
    from serving.models.scores import PreparedTrees  # noqa: PLC0415 - after simd is exchanged
    from serving.models.tree_text import read_forest  # noqa: PLC0415 - after simd is exchanged

    models = {}
    for count, leaves in SHAPES:
        rows, booster = _trained(count, leaves)
        parsed = read_forest(booster.model_to_string())
        models[count] = PreparedTrees(pack_forest(parsed), parsed.expected, parsed.feature_names)
    began = process_time()
    models[SHAPES[0][0]].explain(rows[:1])
    cold = {"first call, compiled, CPU s": process_time() - began}

    def measure(at: int) -> Figures:
        return {
            f"{count} trees, {n} rows, CPU µs a row": _us(models[count], rows, n, at)
            for count in models
            for n in ROWS
        }

    serve_rounds(cold, measure)


def _us(trees, rows, n: int, at: int) -> float:  # type: ignore[no-untyped-def]  # of either scorer
    calls = ONE_ROW_CALLS if n < max(ROWS) else 1
    taken = []
    for call in range(calls):
        begin = (at * calls + call) * n % (len(rows) - n)
        began = process_time()
        trees.explain(rows[begin : begin + n])
        taken.append(process_time() - began)
    return 1e6 * float(np.median(taken)) / n


if __name__ == "__main__":
    main()
