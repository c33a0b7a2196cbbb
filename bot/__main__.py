"""`python -m bot` is `skredder`."""

from bot.cli import main

main()
