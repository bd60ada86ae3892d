"""From contributions to reasons that a reviewer can check.

`wording` writes a value the way its unit is read, `usual` says how a value compares with the cases
the model learnt from, `reasons` groups exact contributions by indicator into what speaks for a
closer look and what speaks against, and `missing` names what the submission did not bring. A reason
never stands without its value and what is usual: a bare number persuades without informing.
"""
