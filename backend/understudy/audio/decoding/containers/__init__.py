"""Tell containers apart, and walk their parts."""
