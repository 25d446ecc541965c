"""Shows models, their files and their history."""
