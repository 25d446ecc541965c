"""File name suffixes by which folders of recordings are searched.

The format of an opened file is detected from its content, never from its name.
"""

SUFFIXES = frozenset(
    {
        *(".3gp", ".aac", ".aif", ".aifc", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a", ".mka", ".mkv", ".mov"),
        *(".mp3", ".mp4", ".mts", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav", ".weba", ".webm", ".wma"),
    }
)
