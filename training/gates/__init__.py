"""Conditions that a model must meet before it becomes champion.

`gates` has one function for each condition that needs no file of its own, `second_approval` checks
who approves, `promotion_verdicts` evaluates all gates for a registered version, `canaries` are
subjects whose truth is known, and a `waiver` opens a gate in writing.
"""
