"""Commands on an installation: serve it, try it, save it, repair it, remove it."""
