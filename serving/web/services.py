"""Dependency for the services behind a request."""

from typing import Annotated

from fastapi import Depends, Request

from serving.container import Services


async def services_of(request: Request) -> Services:
    """Return the container that the application was built from."""
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]
