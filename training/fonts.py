"""Where matplotlib keeps its list of fonts for users who have no folder of their own."""

import os

from features.engine.cache_folder import cache_folder


def keep_fonts() -> None:
    """Name a folder for matplotlib, which else makes a new one each time, and warns.

    To be called before it is imported; what the environment names already stays.
    """
    if "MPLCONFIGDIR" in os.environ or os.access(os.path.expanduser("~"), os.W_OK):
        return
    if folder := cache_folder("matplotlib").path:
        os.environ["MPLCONFIGDIR"] = str(folder)
