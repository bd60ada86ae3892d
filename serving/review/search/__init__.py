"""Search for cases, saved views, and the history of one entity."""
