"""`tidegate ...`: the outermost layer, and the only one that may wire every room.

One file per group of commands; `main` registers them. A command imports the rooms it needs when it
runs, so that `tidegate --help` is quick and a scoring process never meets MLflow.
"""
