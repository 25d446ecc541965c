"""Signs people in at an OpenID provider (OpenID Connect Core 1.0)."""
