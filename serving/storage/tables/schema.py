"""What all tables are part of, and the types of columns that differ between databases."""

from sqlalchemy import REAL, BigInteger, Float, Integer, MetaData

# Every table; `serving.storage.tables` imports them all, so that none is missing here.
metadata = MetaData()

# A place in the log, or a number that grows as long.
PLACE = BigInteger().with_variant(Integer(), "sqlite")

# A number in 64 bits, whatever the database calls it.
FIGURE = Float(53).with_variant(REAL(), "sqlite")
