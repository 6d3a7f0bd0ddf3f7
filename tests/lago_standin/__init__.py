"""A small server that answers like Lago: its lists, its pages, its keys and how it fails."""
