"""The accountability of an agency: every decision recorded, reproducible and kept while permitted.

`decision` is the record: all inputs, all outputs, and the model in between. `decision_log_writer`
is the one thread that appends the parts in `logged_decision`; `replay` computes a decision again
and compares the bits. `purpose` limits the use of data, `masking` and `retention` end what may no
longer be seen or kept, `incidents` freeze the evidence of a harm, and `impact_assessment` is
answered before live use.
"""
