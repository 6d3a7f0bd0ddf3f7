"""localstripe, a stateful Stripe of somebody else's making, and what makes its older shapes those of today."""
