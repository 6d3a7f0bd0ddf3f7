"""What the Lago-shaped API says of webhooks and of the service itself: views that need this app's models."""
