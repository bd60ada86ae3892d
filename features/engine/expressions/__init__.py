"""Functions of columns, traced once into a program that a small compiled interpreter runs.

Functions are written with numpy (ufuncs, `np.where`, `np.isin`, `np.clip`) over columns. `trace`
calls each once with stand-ins and records the operations; operations that functions share are
performed once. `program` holds the result: instructions over registers, with the columns they read
and write. `interpreter` runs it over blocks of rows. `encode_rows` writes the fields of request
records into registers.

A million rows and a single row run the same instructions, so results are equal bit for bit, even
where numpy's sine and a compiler's differ in the last one.
"""
