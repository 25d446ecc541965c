"""Runs child processes under limits: no network, one writable folder, bounded memory and time."""
