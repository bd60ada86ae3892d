"""Map tiles with land and borders, drawn on the server from Natural Earth.

They are the same for everyone and reveal nothing about any case.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from serving.console.browser_session import AnyReader
from serving.console.charts.coastline import FINEST, TILE_PX, UNITS_PER_PX, tile
from serving.console.pages import PageRoute
from serving.errors import NotFound
from serving.web.security_headers import PAGE_HEADERS

router = APIRouter(prefix="/console/map", include_in_schema=False, route_class=PageRoute)

KEPT_FOR_S = 30 * 24 * 3_600
_SIZE = TILE_PX * UNITS_PER_PX
# Half-transparent greys, which work on light and dark water.
_TILE = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{TILE_PX}" height="{TILE_PX}" '
    f'viewBox="0 0 {_SIZE} {_SIZE}">'
    '<path fill="#8a8f88" fill-opacity=".34" stroke="#7c827b" stroke-opacity=".55" '
    'stroke-width="3" d="{land}"/>'
    '<path fill="none" stroke="#7c827b" stroke-opacity=".8" stroke-width="4" d="{borders}"/></svg>'
)

Zoom = Annotated[int, Path(ge=0, le=FINEST)]
Place = Annotated[int, Path(ge=0)]


@router.get("/{zoom}/{column}/{row}.svg")
def map_tile(_: AnyReader, zoom: Zoom, column: Place, row: Place) -> Response:
    """Return one tile of 256 pixels, numbered from the north-west as on other web maps."""
    if max(column, row) >= 2**zoom:
        raise NotFound("the map has no such tile")
    drawn = tile(zoom, column, row)
    return Response(
        _TILE.format(land=drawn.land, borders=drawn.borders),
        media_type="image/svg+xml",
        # Only signed-in readers get tiles, so shared caches must not store them.
        headers=PAGE_HEADERS | {"Cache-Control": f"private, max-age={KEPT_FOR_S}"},
    )
