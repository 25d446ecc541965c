"""Who may use the server, and what they may do."""
