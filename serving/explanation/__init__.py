"""From contributions to reasons that a reviewer can check.

`formatting` writes a value the way its unit is read, `comparison` says how a value compares with
its peers among the cases that the model learnt from, `reason_ranking` ranks exact contributions by
indicator into what speaks for a closer look and what speaks against, `reasons_in_words` puts them
into words when somebody reads them, `provenance_text` leads to the papers behind it, and
`missing_inputs` names what the submission did not bring and how far it could move the score.
`language` says all of it in the reader's language; `translation_template` is what there is to
translate. A reason never stands without its value and what is usual: a bare number persuades
without informing.
"""
