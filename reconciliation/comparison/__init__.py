"""What two sides' amounts mean for each other, in pure functions: delta, tolerance, causes, readiness."""
