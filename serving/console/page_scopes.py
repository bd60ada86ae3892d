"""Scopes of pages: each page requires one of those named."""

from typing import Annotated

from fastapi import Depends

from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith

MayAdminister = Annotated[Caller, Depends(ReaderWith("administer"))]
MayAudit = Annotated[Caller, Depends(ReaderWith("audit"))]
MayExplainOrStudy = Annotated[Caller, Depends(ReaderWith("explain", "study"))]
MayFindCases = Annotated[Caller, Depends(ReaderWith("review", "rescue", "audit"))]
MayReadCase = Annotated[Caller, Depends(ReaderWith("review", "audit"))]
MayRescue = Annotated[Caller, Depends(ReaderWith("rescue"))]
MayReview = Annotated[Caller, Depends(ReaderWith("review"))]
MayReviewOrRescue = Annotated[Caller, Depends(ReaderWith("review", "rescue"))]
MaySeeAccounts = Annotated[Caller, Depends(ReaderWith("administer", "audit"))]
MaySeeFigures = Annotated[Caller, Depends(ReaderWith("supervise", "study"))]
MaySeeSwitches = Annotated[Caller, Depends(ReaderWith("supervise", "administer"))]
MayStudy = Annotated[Caller, Depends(ReaderWith("study"))]
MaySupervise = Annotated[Caller, Depends(ReaderWith("supervise"))]
MaySwitch = Annotated[Caller, Depends(ReaderWith("switch"))]
