"""The windows of the catalogue by other means, for benchmarks: the same numbers of the same files.

`tables` writes what they all start from: events with their derived columns ready made and subjects
with their keys, so that peers have only windows to compute. `with_polars` and
`with_duckdb` each read these files and write one Parquet file of windows.
"""
