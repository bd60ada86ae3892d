"""The process of the service: its sockets, threads, workers, start and end.

`bootstrap` builds the application and stands above it; everything else here knows neither the
application nor the domain.
"""
