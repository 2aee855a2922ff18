"""``python -m comity``."""

from comity.app.cli import main

main()
