"""File name suffixes by which folders of recordings are searched.

The format of an opened file is detected from its content, never from its name.
"""

SUFFIXES = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm"}
)
