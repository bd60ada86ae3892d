"""What can go wrong in this room.

TidegateError
└── TrainingError
    ├── TrainingSetError        the folder cannot be used: names file and column
    ├── ParametersError         a parameter is unknown or out of range: names what is allowed
    ├── NotEnoughLabels         a window holds too few confirmed or not confirmed subjects
    ├── WindowSeen              a model has learnt from labels of a window: names both periods
    ├── SearchError             the file of searches cannot be used: names it
    ├── LeakageFound            a feature tells what was not known yet: names it
    ├── WorkersFailed           workers did not come, or one was lost; says which and why
    ├── CalibrationError        the margins do not rise with the risk
    ├── ArtefactError           a model folder is absent, incomplete or from another format
    │   └── ArtefactTampered    a digest or the signature does not fit
    ├── ChampionUnreadable      the champion is damaged or of another catalogue: says what to do
    ├── UnknownModel            no model of that name, version or alias
    ├── TrackingError           the tracking store cannot be reached or refused; nothing registered
    ├── PolicyRefused           a policy to replay asks for what a history or an office has not
    ├── WaiverError             a waiver lacks a reason, or its end is none: says what is wanted
    └── PromotionRefused        one or more gates stay shut: lists the reasons
"""

import shlex

from features.errors import TidegateError


class TrainingError(TidegateError):
    """Base of everything that stops a training, an evaluation or a promotion."""


class TrainingSetError(TrainingError):
    """A training-set folder cannot be used; the message names the file and the column."""


class ParametersError(TrainingError):
    """A training parameter is unknown or out of range; the message names what is allowed."""


class NotEnoughLabels(TrainingError):
    """A window holds too few confirmed or too few not confirmed subjects."""


class WindowSeen(TrainingError):
    """A model has learnt from labels of the window that it would be judged on.

    The message names the period of these labels and that of the window.
    """


class ScoresError(TrainingError):
    """A file of scores cannot be judged; the message names the file and the subject."""


class PolicyRefused(TrainingError):
    """A policy cannot be replayed; the message names the key, the week or the office."""


class SearchError(TrainingError):
    """The file that searches are kept in cannot be used; the message names it."""


class LeakageFound(TrainingError):
    """A feature tells what was not known when subjects were declared; the message names it."""


class WorkersFailed(TrainingError):
    """Workers that should have grown trees did not come, or one of them was lost."""


class CalibrationError(TrainingError):
    """The margins of the calibration window do not rise with the risk."""


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


class UnknownModel(TrainingError):
    """There is no model of that name, version or alias."""


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
