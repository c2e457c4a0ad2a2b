"""python -m posecli, and the posecli command: nothing is imported before an interruption can be answered."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C during its imports ends it as quietly as later."""
    try:
        from posecli.cli import main as run
    except KeyboardInterrupt:
        print("posecli: interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
