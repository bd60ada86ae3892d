"""Errors of training, evaluation and promotion.

TidegateError
└── TrainingError
    ├── TrainingSetError        the folder cannot be used; names file and column
    ├── WindowUnusable          a window has too few labels, or a model was fitted on its labels
    ├── ArtefactError           a model folder is missing, incomplete or in another format
    ├── ChampionUnreadable      the champion is damaged or of another catalogue; names the remedy
    └── PromotionRefused        one or more gates stay shut; lists the reasons
"""

import shlex

from features.errors import TidegateError


class TrainingError(TidegateError):
    """A training, evaluation or promotion cannot go on; the message names the cause.

    Raised itself when no caller distinguishes the cause: an unknown parameter, a leaking feature,
    margins that do not rise, a missing model.
    """


class TrainingSetError(TrainingError):
    """A training-set folder is invalid; the message names the file and the column."""


class WindowUnusable(TrainingError):
    """A window cannot be fitted or evaluated on.

    It holds too few confirmed or too few not confirmed subjects, or the model was fitted on its
    labels; the message names the periods.
    """


class ArtefactError(TrainingError):
    """A model folder is missing, incomplete or in another format than this release's."""


class ChampionUnreadable(TrainingError):
    """The champion cannot be read, so no other version can be compared with it.

    `version` is None if no signed document names one.
    """

    def __init__(self, name: str, version: str | None, reason: str):
        which = f"{name} version {version}, the champion," if version else f"the champion of {name}"
        back = (
            f", return to the one before with `tidegate promote --model {name}@champion --rollback`"
        )
        super().__init__(
            f"{which} cannot be read, so nothing can be compared with it: {reason}. Restore its "
            f"files{back if version else ''}, or go without the comparison with --waive champion"
        )


class PromotionRefused(TrainingError):
    """At least one gate stays shut; `reasons` names the gates and their reasons.

    For `undecided` gates too little is known; two people may waive them together. For `answerable`
    gates a person may give a reason although they refuse. If another gate refuses, which nobody may
    waive, the message proposes no waiver.
    """

    def __init__(
        self,
        reasons: tuple[str, ...],
        undecided: tuple[str, ...] = (),
        answerable: tuple[str, ...] = (),
    ):
        lines = ["not promoted:", *(f"  - {reason}" for reason in reasons)]
        if others := len(reasons) - len(undecided) - len(answerable):
            if undecided or answerable:
                which = "a gate" if others == 1 else f"{others} gates"
                lines.append(f"no waiver helps, since {which} of these may not be waived")
        elif undecided:
            waived = " ".join(f"--waive {shlex.quote(gate)}" for gate in undecided)
            lines.append(
                f"two people may answer for what is undecided: {waived} --requested-by "
                "NAME --because WHY --until DAY"
            )
        if answerable and not others:
            lines.append(
                f"for {', '.join(answerable)} a person may answer with a reason, by the same words"
            )
        super().__init__("\n".join(lines))
        self.reasons = reasons
        self.undecided = undecided
        self.answerable = answerable
