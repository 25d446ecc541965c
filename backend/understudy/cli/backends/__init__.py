"""The two ways for a command to reach the registry: this machine's database, or a server over HTTP."""
