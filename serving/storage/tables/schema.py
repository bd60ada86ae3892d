"""The metadata of all tables, and column types that differ between databases."""

from sqlalchemy import REAL, BigInteger, Float, Integer, MetaData

# Every table; `serving.storage.tables` imports all modules, so that none is missing here.
metadata = MetaData()

# A position in the log, or a number that grows as large.
PLACE = BigInteger().with_variant(Integer(), "sqlite")

# A 64-bit floating-point number, under the name each database has for it.
FIGURE = Float(53).with_variant(REAL(), "sqlite")
