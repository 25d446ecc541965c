"""`python -m understudy.cli`, where the installed command is not on the path."""

from understudy.cli import main

main()
