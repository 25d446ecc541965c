"""Model files in an object store that several servers share."""
