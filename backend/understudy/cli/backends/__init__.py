"""Access to the registry for commands: this machine's database, or a server over HTTP."""
