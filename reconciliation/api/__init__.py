"""The part of the Lago-shaped API that needs this app: taxes, fees and bills, webhooks, the service itself."""
