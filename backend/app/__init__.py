"""The import paths that older instructions for this checkout name. The library is `understudy`."""
