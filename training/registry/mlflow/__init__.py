"""The only access to MLflow: runs, metrics, pictures, datasets, and versions with aliases.

`store` opens a tracking store (by default SQLite in the home, or any server by URI), `runs` records
a training, `trials` the search before it, `versions` manages versions. Scoring needs none of it.
"""
