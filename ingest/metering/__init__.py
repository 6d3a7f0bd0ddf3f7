"""Events to quantities and instants to periods: pure functions, where "now" is always an argument."""
