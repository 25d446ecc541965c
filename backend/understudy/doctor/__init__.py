"""The checks of an installation and their repairs: `understudy doctor`."""
