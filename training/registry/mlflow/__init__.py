"""The only door to MLflow: runs, metrics, pictures, datasets, registered versions with aliases.

`store` opens a tracking store (SQLite in the home by default, any server by URI), `runs` tells it
of one training, `trials` of the search before it, `versions` names versions. Nothing here is needed
to score.
"""
