"""What nobody can read is no text."""

import pytest
from pydantic import BaseModel, ValidationError

from serving.access.visible_texts import is_visible
from serving.audit.errors import RetentionRefused
from serving.audit.retention_log import RetentionAct
from serving.review.acts.act_declaration import Note, Words
from serving.review.cases.actions import CaseAction
from tests.serving.conftest import NOW
from tests.serving.refusals import refused_with

UNSEEN = ("", "   ", "\u200b", "\u3164", "\u2800", "\ufeff\u2060\n", "\x07", "\u00ad")


class Said(BaseModel):
    """A text of ten characters or more."""

    text: Words


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_a_text_of_which_nothing_is_seen_is_refused(unseen: str) -> None:
    assert not is_visible(unseen)
    for body in (Note, Said):
        with pytest.raises(ValidationError):
            body.model_validate({"text": unseen * 10})
    with refused_with("impossible-action"):
        CaseAction("hold", unseen, None, None)
    with pytest.raises(RetentionRefused, match="say why"):
        RetentionAct.stated(NOW, "hold", "ada", unseen, {})


@pytest.mark.parametrize("seen", ["x", "می\u200cخواهم", " ! ", "中", "👁\ufe0f"])
def test_a_text_of_any_script_is_seen(seen: str) -> None:
    assert is_visible(seen)
    assert Note(text=seen).text == seen.strip()
