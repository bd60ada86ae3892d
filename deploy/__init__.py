"""Tools for releases and deployments: audits, bills of materials, signatures.

The rest of the code imports none of them; each is run on its own.
"""
