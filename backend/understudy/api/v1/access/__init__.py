"""People, keys, sessions and sign-in, over HTTP."""
