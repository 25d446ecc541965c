"""The raw frames of mp3, mp2 and AAC, and the tags around them."""
