"""The program leakctl, also as `python -m controller`: ready for Ctrl-C before its slow imports; see `cli`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from controller.cli.main import main as command  # a second in which Ctrl-C should not show a traceback

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
