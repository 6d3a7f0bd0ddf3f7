"""Quantities to money: pure functions, exact until the one rounding to a currency."""
