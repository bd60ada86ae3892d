"""From scores to lanes: who looks at what, under the capacity that an office has.

`capacity` turns shares of the work into thresholds on the score, `draw` takes control cases at
random, `life_at_risk` looks for people in danger, `placement` puts the three together. All of it is
pure: the same subject with the same score falls in the same lane. A lane is an offer of attention;
what happens to a subject is decided by a person.
"""
