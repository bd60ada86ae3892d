"""Backups: one file with a whole installation, and its restoration to a new home.

`backup_writer` reads a home and its database while they are served, and writes an archive whose
manifest lists the digest of every member (`archive`). `home_restore` makes a home from it, as the
next epoch of the log. Commands import this package.
"""
