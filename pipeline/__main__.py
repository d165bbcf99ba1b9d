"""`python -m pipeline` and `ska-images`."""

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        # Imports take long enough to be interrupted.
        from pipeline.cli import streams

        streams.prepare()
        from pipeline.cli.app import main as run

        code = run()
        streams.finish()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        code = 130
    except OSError:
        code = 2  # standard error refused the sentence
        streams.finish()
    sys.exit(code)


if __name__ == "__main__":
    main()
