"""Runs `python -m understudy.cli`, for a machine where the installed command is not on the path."""

from understudy.cli import main

main()
