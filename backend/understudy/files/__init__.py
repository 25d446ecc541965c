"""Files on the disk: opened safely, read as text, and owned by running processes."""
