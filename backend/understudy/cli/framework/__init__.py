"""Turns functions into commands: options, output, errors, exit codes."""
