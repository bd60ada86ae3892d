"""Through another site and back, in a real browser that keeps cookies apart."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from serving.settings import Settings
from tests.browser.conftest import Site
from tests.serving.provider import SECRET, Organisation, organisation


@pytest.fixture
def elsewhere() -> Iterator[Organisation]:
    # Another site than the one that serves: its cookies are of a third party there.
    with organisation("localhost") as told:
        yield told


@pytest.fixture
def settings(settings: Settings, elsewhere: Organisation) -> Settings:
    issuer = {"oidc_issuer": elsewhere.address, "oidc_client_secret": SecretStr(SECRET)}
    return settings.model_copy(update=issuer)


def test_a_reviewer_comes_back_from_their_organisation_signed_in(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/console/queue")
    page.get_by_role("link", name="Sign in with your organisation").click()

    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page.locator(".who")).to_have_text("maria")
