"""The signed tokens of other services: whom they name, and the keys that verify them."""
