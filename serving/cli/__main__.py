"""Entry point of `tidegate` and `python -m serving.cli`."""

import sys

from serving.cli.large_pages import begin_in_large_pages


def main() -> None:
    """Run a command, in large memory pages if it runs long."""
    # First of all, because the process may replace itself here.
    begin_in_large_pages(sys.argv[1:])
    from serving.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
