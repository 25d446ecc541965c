"""Model files: where they are, what they contain, what is recorded about them."""
