"""What a release and its deployment need besides the code: audits, lists of parts, signatures.

Nothing here is imported by the rest; each file is run by itself.
"""
