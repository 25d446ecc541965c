"""The commands. Each module has one `group`, which `tree` adds to the command line."""
