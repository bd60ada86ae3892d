"""Windows by Polars: running sums under each key, and as-of joins at both ends of the window."""

from collections import defaultdict
from pathlib import Path

import polars as pl

from experiments.window_peers.tasks import DAY_US, HOUR_US, Task, tasks_of


def compute(folder: Path, out: Path, threads: int) -> None:
    """Read the tables in `folder`, write every window to `out`; threads are set by environment."""
    subjects = pl.read_parquet(folder / "subjects.parquet").with_row_index("n")
    columns = {}
    grouped = defaultdict(list)
    for task in tasks_of(folder):
        counted = (task.value, task.span_us) if task.reducer == "distinct" else None
        grouped[task.events, task.by, task.matching, task.where, counted].append(task)
    for tasks in grouped.values():
        columns |= _computed(folder, subjects, tasks)
    names = [task.name for task in tasks_of(folder)]
    table = subjects.select("subject_id").with_columns(*(columns[n].alias(n) for n in names))
    table.write_parquet(out)


def _computed(folder: Path, subjects: pl.DataFrame, tasks: list[Task]) -> dict[str, pl.Series]:
    task = tasks[0]
    keys = [f"k{at}" for at in range(len(task.by))] or ["k0"]
    values = sorted({t.value for t in tasks if t.value is not None})
    read = sorted({*task.matching, *values, "known_at", "place", *filter(None, [task.where])})
    events = pl.read_parquet(folder / f"{task.events}.parquet", columns=read)
    if task.where:
        events = events.filter(pl.col(task.where) == 1)
    events = events.with_columns(
        *(pl.col(m).alias(k) for m, k in zip(task.matching, keys, strict=False)),
        *([] if task.by else [pl.lit(0).alias("k0")]),
    ).drop_nulls(keys)
    asked = subjects.select(
        "n",
        pl.col("declared_at").alias("at"),
        *(
            [pl.col(b).alias(k) for b, k in zip(task.by, keys, strict=False)]
            or [pl.lit(0).alias("k0")]
        ),
    )
    if task.reducer == "distinct":
        running = _deltas(events, keys, task)
    else:
        running = _running(events, keys, values)
    running = running.sort("known_at")
    spans = sorted({t.span_us for t in tasks if t.span_us is not None and t.reducer != "distinct"})
    joined = _as_of(asked, running, keys, 0, "")
    for span in spans:
        joined = joined.join(
            _as_of(asked, running, keys, span, f"_{span}").drop("at", *keys), on="n", how="left"
        )
    joined = joined.sort("n")
    is_keyed = pl.all_horizontal(pl.col(k).is_not_null() for k in keys)
    return {t.name: joined.select(pl.when(is_keyed).then(_number(t)))[:, 0] for t in tasks}


def _as_of(
    asked: pl.DataFrame, running: pl.DataFrame, keys: list[str], span: int, suffix: str
) -> pl.DataFrame:
    left = asked.with_columns((pl.col("at") - span).alias("limit")).sort("limit")
    joined = left.join_asof(
        running,
        left_on="limit",
        right_on="known_at",
        by=keys,
        strategy="backward",
        allow_exact_matches=False,
        coalesce=False,
        check_sortedness=False,
    ).drop("limit")
    held = {c: f"{c}{suffix}" for c in running.columns if c not in keys}
    return joined.rename(held)


def _running(events: pl.DataFrame, keys: list[str], values: list[str]) -> pl.DataFrame:
    events = events.sort("known_at", "place")
    columns = [
        pl.int_range(1, pl.len() + 1).over(keys).alias("many"),
        pl.col("known_at").first().over(keys).alias("oldest"),
    ]
    for v in values:
        whole = pl.col(v).cast(pl.Int64)
        columns += [
            whole.fill_null(0).cum_sum().over(keys).alias(f"sum_{v}"),
            pl.col(v).is_not_null().cum_sum().cast(pl.Int64).over(keys).alias(f"count_{v}"),
            whole.cum_max().forward_fill().over(keys).alias(f"max_{v}"),
            whole.cum_min().forward_fill().over(keys).alias(f"min_{v}"),
            pl.col(v).alias(f"last_{v}"),
        ]
    running = events.select(*keys, "known_at", *columns)
    return running.unique([*keys, "known_at"], keep="last", maintain_order=True)


def _deltas(events: pl.DataFrame, keys: list[str], task: Task) -> pl.DataFrame:
    """+1 where a value begins to stand in the window and -1 where it ceases to, summed."""
    value = task.value or ""
    o = (
        events.drop_nulls([value])
        .sort("known_at")
        .select(
            *keys,
            "known_at",
            pl.col("known_at").shift(1).over([*keys, value]).alias("before"),
            pl.col("known_at").shift(-1).over([*keys, value]).alias("next"),
        )
    )
    if task.span_us is None:
        d = o.filter(pl.col("before").is_null()).select(*keys, "known_at", pl.lit(1).alias("delta"))
    else:
        begins = o.filter(
            pl.col("before").is_null() | (pl.col("before") + task.span_us < pl.col("known_at"))
        )
        ends = o.filter(
            pl.col("next").is_null() | (pl.col("next") > pl.col("known_at") + task.span_us)
        )
        d = pl.concat(
            [
                begins.select(*keys, "known_at", pl.lit(1).alias("delta")),
                ends.select(*keys, pl.col("known_at") + task.span_us, pl.lit(-1).alias("delta")),
            ]
        )
    summed = d.group_by([*keys, "known_at"]).agg(pl.col("delta").sum()).sort("known_at")
    return summed.select(*keys, "known_at", pl.col("delta").cum_sum().over(keys).alias("different"))


def _number(task: Task) -> pl.Expr:
    v = task.value

    def since(column: str) -> pl.Expr:
        now = pl.col(column).fill_null(0)
        return (
            now if task.span_us is None else now - pl.col(f"{column}_{task.span_us}").fill_null(0)
        )

    many = since(f"count_{v}")
    return {
        "count": since("many").cast(pl.Float64),
        "total": since(f"sum_{v}").cast(pl.Float64),
        "mean": pl.when(many > 0).then(since(f"sum_{v}") / many),
        "distinct": pl.col("different").fill_null(0).cast(pl.Float64),
        "hours_since_latest": (pl.col("at") - pl.col("known_at")) / HOUR_US,
        "days_since_first": (pl.col("at") - pl.col("oldest")) / DAY_US,
        "latest": pl.col(f"last_{v}").cast(pl.Float64),
        "largest": pl.col(f"max_{v}").cast(pl.Float64),
        "smallest": pl.col(f"min_{v}").cast(pl.Float64),
    }[task.reducer]
