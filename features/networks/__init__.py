"""Networks: links between the parties of subjects as of an instant, for batch and online alike.

`links` says which parties a record links, and from when. `neighbourhood` computes what the network
around a subject was before an instant, from arrays of links: batch gives it all of them, the online
feature store those that it read.
"""
