"""What services send and what it costs: events, usage and fees, and the Lago-shaped API for them."""
