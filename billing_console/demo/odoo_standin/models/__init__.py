"""The models of the stand-in, declared as data, one module per area."""
