"""What an agency answers for: each decision recorded, recomputable, kept for as long as it may be.

`decision` is the record: everything that went in, everything that came out, and which model stood
between. `decision_log_writer` is the one thread that appends what `logged_decision` says is logged
of it, `checkpoints` sign how long the log is, `replay` computes a decision again and compares the
bits. `purpose` limits what data are used for, `masking` and `retention` end what may no longer be
seen or kept, `incidents` freeze what a harm must be explained from, and `impact_assessment` is
answered before live use.
"""
