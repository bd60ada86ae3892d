"""Supervision: workload, judgements before the score is shown, and figures of reviewers."""
