"""The technical file of one model version, in the order of Annex IV of Regulation (EU) 2024/1689.

`gathered` reads what the version left behind, and `dossier_page` shows it to whoever must answer
for it.
"""
