"""`python -m pipeline` and `ska-images`."""

import sys

from pipeline.cli.app import main as run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
