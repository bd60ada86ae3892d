"""What an agency owes to those whose traffic is scored, before and while it is.

`impact_assessment` holds the questions that must be answered before scores are used in earnest, and
`incidents` freezes what a harm must be explained from. `retention` masks and ends what is kept when
its time is over.
"""
