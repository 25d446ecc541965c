"""Shows the state of an installation, its backups and its faults."""
