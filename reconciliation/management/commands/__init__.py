"""Each step of a reconciliation by hand; `run_command.py` in the folder above holds what they share."""
