"""What can go wrong in this room.

TidegateError
└── TrainingError
    ├── TrainingSetError        the folder cannot be used: names file and column
    ├── NotEnoughLabels         a window holds too few confirmed or not confirmed subjects
    ├── WindowSeen              a model has learnt from labels of a window: names both periods
    ├── WorkersFailed           workers did not come, or one was lost; says which and why
    ├── ArtefactError           a model folder is absent, incomplete or from another format
    │   └── ArtefactTampered    a digest or the signature does not fit
    ├── ChampionUnreadable      the champion is damaged or of another catalogue: says what to do
    ├── TrackingError           the tracking store cannot be reached or refused; nothing registered
    ├── WaiverError             a waiver lacks a reason, or its end is none: says what is wanted
    └── PromotionRefused        one or more gates stay shut: lists the reasons
"""

import shlex

from features.errors import TidegateError


class TrainingError(TidegateError):
    """Something stops a training, an evaluation or a promotion; the message says what and why.

    It is raised itself where nothing has to catch the reason by name: an unknown parameter, a
    feature that leaks, margins that do not rise, a model that does not exist.
    """


class TrainingSetError(TrainingError):
    """A training-set folder cannot be used; the message names the file and the column."""


class NotEnoughLabels(TrainingError):
    """A window holds too few confirmed or too few not confirmed subjects."""


class WindowSeen(TrainingError):
    """A model has learnt from labels of the window that it would be judged on.

    The message names the period of these labels and that of the window.
    """


class WorkersFailed(TrainingError):
    """Workers that should have grown trees did not come, or one of them was lost."""


class ArtefactError(TrainingError):
    """A model folder is absent, incomplete or not in the format of this release."""


class ArtefactTampered(ArtefactError):
    """A file's digest or the manifest's signature does not fit."""


class ChampionUnreadable(TrainingError):
    """The version that is champion cannot be asked, so no other can be compared with it.

    There is no `version` where nothing that was signed names one.
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


class TrackingError(TrainingError):
    """The tracking store cannot be reached or refused; nothing was registered."""


class WaiverError(TrainingError):
    """A waiver is not in order; the message names the field and what is wanted."""


class PromotionRefused(TrainingError):
    """At least one gate stays shut; `reasons` says which and why.

    Of `undecided` gates too little is known to say; two people may waive them together. For gates
    that are `answerable` a person may answer with a reason although they refuse. No waiver is
    proposed where another gate refuses, which none opens.
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
