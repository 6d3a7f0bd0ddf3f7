"""The Lago-shaped HTTP API: parse, authorise, call one function, render."""
