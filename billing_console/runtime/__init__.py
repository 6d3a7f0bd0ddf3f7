"""Runs the console on one machine: embedded PostgreSQL, its leases, the process manager. No Django."""
