"""What workers are forked from: a process that has read and compiled what all of them need.

Imported by the fork server alone (`serving.forked_workers`).
"""

from contextlib import suppress

from serving.bootstrap import read_code
from serving.forked_workers import outlive_signals

outlive_signals()
with suppress(Exception):  # what fails here fails in every worker, which says so
    read_code()
