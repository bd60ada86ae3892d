"""From scores to lanes: who looks at what, under the capacity that an office has.

`plan` holds an office's capacity, watch-lists and rules, and `hits` are what those say of a
subject. `capacity` paces a lane over the day, `cut` turns its share into a threshold with a lot for
ties, `draw` gives every subject its lots, `life_at_risk` looks for people in danger, and
`placement` puts them together: the same subject with the same score, cuts and lots falls in the
same lane. Only `lanes` remembers, in `recent`, what was placed lately, by this worker or, as
`others` reads from the log, by another. `rival` is what a challenger would have selected, which
raises the probability of a random look. A lane is an offer of attention; what happens to a subject
is decided by a person.
"""
