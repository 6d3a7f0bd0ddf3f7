"""Files of what a service really billed: our own CSV and FOCUS 1.0, read row by row."""
