"""What Lago's shapes say, checked field by field: read by the API and by the import from Lago."""
