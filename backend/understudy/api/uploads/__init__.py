"""Request bodies: one recording, several recordings, JSON within a limit."""
