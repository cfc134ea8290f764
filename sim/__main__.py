"""The program leaksim, also as `python -m sim`: ready for Ctrl-C before its slow imports. Its commands are in `cli`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from sim.cli.main import main as command  # a second in which Ctrl-C should not show a traceback

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
