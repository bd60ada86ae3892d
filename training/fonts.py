"""Where lists of fonts are kept for users who have no folder of their own."""

import os

from features.engine.cache_folder import cache_folder


def keep_fonts() -> None:
    """Name a folder for matplotlib, which else makes a new one each time, and warns.

    So does fontconfig, which it asks where that is installed. To be called before it is imported;
    what the environment names already stays.
    """
    if "MPLCONFIGDIR" in os.environ or os.access(os.path.expanduser("~"), os.W_OK):
        return
    if folder := cache_folder("matplotlib").path:
        os.environ["MPLCONFIGDIR"] = str(folder)
        os.environ.setdefault("XDG_CACHE_HOME", str(folder))
