"""Features as two packages for speech compute them."""
