"""The read queries behind the screens: what a page shows, as plain values, nothing written."""
