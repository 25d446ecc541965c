"""Worker threads, and which clip or tensor runs next on them."""
