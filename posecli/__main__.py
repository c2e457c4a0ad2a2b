"""python -m posecli: the same as the posecli command."""

from posecli.cli import main

main()
