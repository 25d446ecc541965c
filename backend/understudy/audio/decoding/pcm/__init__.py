"""Read files of uncompressed samples: wav, w64, aiff, au and caf."""
