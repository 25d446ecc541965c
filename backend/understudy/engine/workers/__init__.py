"""Worker processes: they decode, compute and may die; the server's process only exchanges messages with them."""
