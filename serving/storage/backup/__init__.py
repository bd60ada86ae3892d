"""One file with everything of an installation, and a home made of such a file.

In comes a home with its database, while it is served; out comes an archive whose manifest names
every member with its digest (`archive`, `backup_writer`). `home_restore` makes a home of it, as the
next epoch of the log. Commands import it.
"""
