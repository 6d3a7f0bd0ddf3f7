"""Steps by hand, from the shell."""
