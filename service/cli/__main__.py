"""`python -m service.cli` is `softray`."""

from service.cli.app import main

main()
