"""From scores to lanes: who looks at what, within the capacity of an office.

`lane_choice` chooses a subject's lane; the same score, cutoffs, hits and draws give the same lane.
`triage_plan` is the file of offices' capacities, watch-lists and rules, and `watch_list_hits` finds
the entries that match a subject. `capacity` computes a lane's share of a day's arrivals, `cutoffs`
turns it into a threshold with a random draw for ties, `control_draws` gives every subject its
draws, `control_probability` sets the probability of the control draw, and `life_at_risk` finds
signs of people in danger. Only `lanes` has state: `recent_load` holds recent placements, by this
worker or, read by `other_workers` from the `placement_log`, by others. `office_days` counts them by
the office's local days, and `arrival_profile` learns the arrivals by weekday and hour.
`disagreement` is what a challenger would have selected, which raises the probability of a control
draw, as drift does (`raised_control_draws`). A lane is an offer of attention; a person decides what
happens to a subject.
"""
