"""One package per outside system: its transport, its quirks and its errors; frozen dataclasses come back."""
