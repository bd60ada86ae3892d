"""A public set of customs declarations through the same build, training and scoring as all else.

`mapping.toml` maps its columns to records; `__main__` strings the rooms together. Question, figures
and the leak of the set are in `notes.md`.
"""
