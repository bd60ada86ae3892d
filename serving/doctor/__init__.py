"""Check what is missing or unsafe on this machine.

It makes no database and no key; where a home belongs to its database, what names the two to each
other in public may be put right, as by any command that opens them.
"""
