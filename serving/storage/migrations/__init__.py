"""The steps by which a database gets the tables that `tables` describes, in their order.

Every step may find its work half done or done: by a start that was interrupted, or by a release
that made tables without steps. It leaves what it finds and adds what is missing.
"""
