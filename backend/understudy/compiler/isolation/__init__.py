"""Child processes under limits: no network, scratch folder only, bounded memory and time."""
