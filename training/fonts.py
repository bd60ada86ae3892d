"""A folder for font caches, for users without a home folder."""

import os

from features.engine.cache_folder import cache_folder


def keep_fonts() -> None:
    """Set matplotlib's cache folder, which it otherwise creates anew each time, with a warning.

    fontconfig, which matplotlib queries if installed, does the same. Must be called before
    matplotlib is imported; existing environment variables take precedence.
    """
    if "MPLCONFIGDIR" in os.environ or os.access(os.path.expanduser("~"), os.W_OK):
        return
    if folder := cache_folder("matplotlib").path:
        os.environ["MPLCONFIGDIR"] = str(folder)
        os.environ.setdefault("XDG_CACHE_HOME", str(folder))
