"""Features of pitch: chroma and tonal centroids."""
