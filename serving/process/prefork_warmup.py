"""What workers are forked from: a process that has read and compiled what all of them need.

Imported by the fork server alone (`serving.process.fork_server`).
"""

from contextlib import suppress

from serving.process.bootstrap import read_code
from serving.process.fork_server import outlive_signals

outlive_signals()
with suppress(Exception):  # what fails here fails in every worker, which says so
    read_code()
