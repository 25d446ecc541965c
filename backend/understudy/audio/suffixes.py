"""File name suffixes by which folders of recordings are searched.

The format of an opened file is detected from its content, never from its name.
"""

SUFFIXES = frozenset(
    {
        *(".3gp", ".aac", ".aif", ".aifc", ".aiff", ".amr", ".asf", ".au", ".awb", ".bw64", ".caf", ".flac", ".m2ts"),
        *(".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mts", ".oga", ".ogg", ".opus", ".rf64"),
        *(".snd", ".w64", ".wav", ".weba", ".webm", ".wma"),
    }
)
