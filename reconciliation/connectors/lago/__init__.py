"""Lago as it stands: what a service keeps there, read by its API or from files that its API gave."""
