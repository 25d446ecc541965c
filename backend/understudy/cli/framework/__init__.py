"""Makes commands of functions: shared options, output, errors, exit codes."""
