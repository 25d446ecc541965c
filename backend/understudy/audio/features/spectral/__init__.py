"""Features that are computed from short-time spectra."""
