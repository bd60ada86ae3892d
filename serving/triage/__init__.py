"""From scores to lanes: who looks at what, under the capacity that an office has.

Which lane a subject gets is said by `lane_rule`: the same subject with the same score, cutoffs,
hits and draws gets the same lane. `triage_plan` is the file of an office's capacity, watch-lists
and rules, and `watch_list_hits` finds which of those hit a subject. `capacity` gives a lane its
share of a day's arrivals, `cutoffs` turns that into a threshold with a random draw for ties,
`control_draws` gives every subject its draws, `control_probability` says how probable the control
draw is, and `life_at_risk` looks for people in danger. Only `lanes` remembers, in `recent_load`,
what was placed lately, by this worker or, as `other_workers` reads from the `placement_log`, by
another; `office_days` counts it by the office's own days, and `arrival_profile` learns from those
how many come on which weekday and by which hour. `disagreement` is what a challenger would have
selected, which raises the probability of a random look, as drift does (`raised_control_draws`). A
lane is an offer of attention; what happens to a subject is decided by a person.
"""
