"""A whole world, written in chapters to record files."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.arrow_schema import arrow_schema
from features.records import RECORD_FILES
from synthetic.danger import in_danger
from synthetic.documents import route_documents, shipment_documents
from synthetic.events import route_events, shipment_events
from synthetic.goods_items import goods_item_table
from synthetic.journeys import drafted_journeys, journey_ids, journey_table
from synthetic.legs import leg_table, position_table
from synthetic.outcomes import ORACLE, oracle_table, outcome_table
from synthetic.plan import Plan, plan_world
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments, office_ids, shipment_ids, shipment_table
from synthetic.transactions import route_transactions, shipment_transactions

Chapter = dict[str, pa.Table]
SCHEMAS = {name: arrow_schema(record) for name, record in RECORD_FILES.items()}
SCHEMAS["oracle"] = ORACLE


def invent(
    out: Path,
    *,
    scenario: Scenario,
    journeys: int,
    days: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    cores: int = 1,
) -> None:
    """Write a world's record files and oracle into `out`, all of them or none.

    `progress` is called after each chapter with the number done and the total. The bytes are equal
    for any number of `cores`.
    """
    out.mkdir(parents=True, exist_ok=True)
    plan = plan_world(scenario, journeys, days, seed)
    # In `out`, so that the moves at the end are renames within one file system.
    with tempfile.TemporaryDirectory(dir=out, prefix=".unfinished-") as unfinished:
        folder = Path(unfinished)
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(
                    pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
                )
                for name, schema in SCHEMAS.items()
            }
            for number, chapter in enumerate(_chapters(plan, journeys, cores), start=1):
                for name, table in chapter.items():
                    writers[name].write_table(table)
                if progress:
                    progress(number, plan.chapters)
        for name in SCHEMAS:
            shutil.move(folder / f"{name}.parquet", out / f"{name}.parquet")


def chapter_of(plan: Plan, chapter: int) -> Chapter:
    """Return all records of a chapter, by file name."""
    journeys = drafted_journeys(plan, chapter)
    shipments = drafted_shipments(plan, chapter, journeys)
    routes, consigned = journeys.subjects, shipments.subjects
    countries = pa.array(plan.ways.countries, pa.string())
    route_ids, consigned_ids = journey_ids(journeys.number), shipment_ids(shipments.number)
    return {
        "journeys": journey_table(plan, chapter, journeys),
        "legs": leg_table(plan, chapter, journeys),
        "positions": position_table(plan, chapter, journeys),
        "shipments": shipment_table(plan, chapter, shipments, journeys),
        "goods_items": goods_item_table(plan, chapter, shipments),
        "documents": pa.concat_tables(
            [
                route_documents(plan, chapter, journeys),
                shipment_documents(plan, chapter, shipments),
            ]
        ),
        "transactions": pa.concat_tables(
            [
                route_transactions(plan, chapter, journeys),
                shipment_transactions(plan, chapter, shipments),
            ]
        ),
        "events": pa.concat_tables(
            [
                route_events(plan, chapter, journeys),
                shipment_events(plan, chapter, shipments, journeys),
            ]
        ),
        "outcomes": pa.concat_tables(
            [
                outcome_table(
                    plan,
                    chapter,
                    "route",
                    routes,
                    ids=route_ids,
                    ready=np.maximum(journeys.declared_at, journeys.due_at),
                    offices=countries.take(
                        pa.array(plan.ways.destination_country[journeys.corridor])
                    ),
                ),
                outcome_table(
                    plan,
                    chapter,
                    "shipment",
                    consigned,
                    ids=consigned_ids,
                    ready=np.maximum(shipments.declared_at, shipments.arrives_at),
                    offices=office_ids(plan, shipments),
                ),
            ]
        ),
        "oracle": pa.concat_tables(
            [
                oracle_table("route", routes, route_ids, in_danger(plan, chapter, journeys)),
                oracle_table(
                    "shipment", consigned, consigned_ids, np.zeros(len(consigned_ids), np.bool_)
                ),
            ]
        ),
    }


def _chapters(plan: Plan, journeys: int, cores: int) -> Iterator[Chapter]:
    """Yield the chapters in order; computed in parallel if there are several cores."""
    if cores < 2 or plan.chapters < 2:
        yield from (chapter_of(plan, number) for number in range(plan.chapters))
        return
    task = (plan.scenario, journeys, plan.days, plan.seed)
    # Not fork, which is unsafe with the threads of Arrow.
    elsewhere = get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=elsewhere, initializer=_end_with_parent) as pool:
        waiting: list[Future[Chapter]] = []
        for number in range(plan.chapters):
            waiting.append(pool.submit(_chapter_elsewhere, *task, number))
            # Few chapters at a time: finished ones wait in memory until they are written.
            if len(waiting) > cores:
                yield waiting.pop(0).result()
        yield from (future.result() for future in waiting)


def _end_with_parent() -> None:
    """Make a worker process end if its parent is killed, instead of waiting for work forever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent handles it
    threading.Thread(target=_wait_for_the_parent, daemon=True).start()


def _wait_for_the_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)


def _chapter_elsewhere(
    scenario: Scenario, journeys: int, days: int, seed: int, number: int
) -> Chapter:
    """Make a chapter in another process, which caches the plan for all its chapters."""
    return chapter_of(plan_world(scenario, journeys, days, seed), number)
