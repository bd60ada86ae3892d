"""Functions of columns, traced once into a program that a small compiled interpreter runs.

Enters: functions written with numpy (ufuncs, `np.where`, `np.isin`, `np.clip`) over columns of one
row each. `trace` calls each once with stand-ins and notes what it does; what two functions do
alike is done once. `program` is what results: instructions over registers, with the columns it
reads and those it makes. `interpreter` runs it over blocks of rows. `encode_rows` writes
rows of fields, as a request brings them, into its registers.

A million rows and a single one go through the same instructions, so they give the same bits, also
where a sine of numpy would differ from that of a compiler in the last one.
"""
