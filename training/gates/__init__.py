"""What must hold before a model may answer for a border.

`gates` has one function for each question that needs no file of its own, `second_approval` asks who
approves, `promotion_verdicts` asks all of them about a registered version, `canaries` are subjects
whose truth is known, and a `waiver` leaves a gate open in writing.
"""
