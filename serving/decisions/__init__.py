"""A decision is durable before it is answered, once per request, and can be recomputed.

`decision` is the record: everything that went in, everything that came out, and which model of
which day stood between. `writer` is the one thread that appends to the log, `claims` keep two
requests with one idempotency key apart, `replay` computes a decision again and compares the bits.
"""
