"""Texts stored in English with their values, and translated when they are read."""

from serving.language import ENGLISH, reading, say, say_again
from serving.monitor.decision_facts import INSPECTED_BY, NOT_INSPECTED
from serving.triage.life_at_risk import SIGNAL_TEXTS

# Each entry is a text as it is stored, or its singular and plural.
STORED_TEXTS: tuple[str | tuple[str, str], ...] = (
    *(*SIGNAL_TEXTS, INSPECTED_BY, NOT_INSPECTED),
    "{kind} {id} is on the list “{list}”: {reason}",
    "rule “{rule}”: {reason}",
    "{part}: want a chance above 0 for each of {decisions} decisions",
    ("{part}: want {count} known outcome", "{part}: want {count} known outcomes"),
    "{part}: {known} known outcomes say as much as {worth} evenly drawn; want {wanted}, as come of "
    "about {enough} decisions instead of {decisions}",
    "recall and lift: had as much been missed as was found, the draws would hold {share} of it; "
    "want {wanted}, as come of about {enough} decisions instead of {decisions}",
    "recall and lift: had as much been missed as was found, the draws would hold {share} of it; "
    "want {wanted}",
    "inputs, score and reasons: the weeks before are too few, or hold too few decisions",
    "findings: too few results are known of the last weeks, or of those before",
    "decisions: the weeks before are too few",
    "results: too few subjects were looked at in the last week whose results are due",
    "score and reasons: models {models} answered in turn",
    "{measure} of {subjects} moved in the week of {week}: {size}, where {least} would matter",
    "{measure} of {subjects} until the week of {week}: {times} times as many as usual",
    "an inspection finds what is there",
    "it finds {part} of it, or all",
    "share that smuggles",
    "inspectors look as hard at what was drawn as at what the score chose",
    "at what was drawn they find {part} of what they would, or all",
    "recall at {share}",
    "results that are not known would be like those that are",
    "{part} of the results are not known: whatever they are, its interval included",
    "precision at {share}",
    "reviewers who almost always follow the proposal, quickly: {reviewers}",
)


def said_again(text: str) -> str:
    """Translate a fixed text, or STORED_TEXTS joined by semicolons; return others unchanged."""
    if reading().language is ENGLISH:
        return text
    for said in (say(text), say_again(text, STORED_TEXTS)):
        if said != text:
            return said
    return "; ".join(say_again(part, STORED_TEXTS) for part in text.split("; "))
