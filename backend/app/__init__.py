"""The documented paths of this checkout, kept for tools that name them; the library is `understudy`."""
