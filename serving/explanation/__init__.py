"""From contributions to reasons that a reviewer can check.

`formatting` writes a value as its unit is read, `comparison` compares a value with its peers among
the training cases, `reason_ranking` ranks exact contributions by indicator into reasons for and
against a closer look, `reasons_in_words` puts them into words when someone reads them,
`provenance_text` names the papers behind them, and `missing_inputs` names absent inputs and how far
each could move the score. `language` renders everything in the reader's language;
`translation_template` collects the texts to translate. A reason is never shown without its value
and what is usual, because a bare number persuades without informing.
"""
