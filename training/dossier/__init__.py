"""The technical file of a model version, structured like Annex IV of Regulation (EU) 2024/1689.

`gathered` reads what is on file about the version, and `dossier_page` renders it for the people
accountable for it.
"""
