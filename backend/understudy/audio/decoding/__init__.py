"""Decoders: from the bytes of a recording to samples."""
