"""One module a group of commands; importing one adds its commands to the tree."""
