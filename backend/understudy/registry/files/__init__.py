"""Model files on the disk: paths, content, sidecars, uploads."""
