"""Moving from Lago: what a service keeps there becomes what it keeps here, once, under ids that both know."""
