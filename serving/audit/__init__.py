"""What an agency answers for: each decision recorded, recomputable, kept for as long as it may be.

`decision` is the record: everything that went in, everything that came out, and which model stood
between. `log_writer` is the one thread that appends to the `decision_log`, `checkpoints` sign how
long it is, `replay` computes a decision again and compares the bits. `purpose` limits what data are
used for, `masking` and `retention` end what may no longer be seen or kept, `incidents`
freeze what a harm must be explained from, and `impact_assessment` is answered before live use.
"""
