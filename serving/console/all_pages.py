"""The pages of the console, imported by the first request that asks for one."""

from starlette.routing import BaseRoute

from serving.console import (
    account_page,
    accounts,
    api_reference,
    approvals,
    attachments,
    audit_events,
    bulk_acts,
    case_acts,
    case_links,
    case_page,
    case_pdf,
    confirmation,
    decisions,
    distress_alerts,
    entities,
    features,
    letters,
    map_tiles,
    message_list,
    messages,
    models,
    monitoring,
    notices,
    oidc_login,
    own_account,
    provider_logout,
    queue,
    rescues,
    saved_views,
    search,
    sign_in,
    supervision,
    switches,
)

# Order matters: the last one answers every remaining console address.
PAGES = (
    *(sign_in, oidc_login, confirmation, own_account, provider_logout),
    *(queue, bulk_acts, notices, search, saved_views),
    *(attachments, messages, message_list),
    *(rescues, distress_alerts, letters),
    *(case_links, case_pdf, case_page, case_acts, entities, map_tiles),
    *(supervision, monitoring, decisions, features, models, switches),
    *(audit_events, approvals, accounts, account_page, api_reference),
)


def page_routes() -> list[BaseRoute]:
    """Return the routes of all pages, in the order in which they are tried."""
    return [route for pages in PAGES for route in pages.router.routes]
