"""The process that forks the workers, and what runs in them."""
