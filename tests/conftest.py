"""What holds in every room of the tests."""

from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing of the code. The examples are
# the same in every run, so that what fails does so for whoever changed something.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
