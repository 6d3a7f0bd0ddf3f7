"""Charge models: how a quantity is priced, one module per model behind the one table in `registry`.

Adding a charge model:

1. Write `<model>.py` with two pure functions. `read(properties, errors)` gives the model's prices as a value
   of its own type and appends a `PropertyError` that names the field for whatever it cannot read; it ignores
   properties it does not know. `price(prices, usage)` gives `Rated` for a quantity of zero or more, exact and
   unrounded, with a `TierLine` for each part if the model has parts; the parts sum to the amount.
2. Add its line to `CHARGE_MODELS` in `registry.py`, under Lago's name for it.
3. Add the model's cases to `tests/ingest/cases/rating_cases.json`; the conformance test runs every case by
   its id. Add how to draw its properties to the property tests, which run over every registered model.

What holds for all models (Lago: charge models, common) stands once, in `contract.ChargeModel`: invalid
properties are refused, and usage or an amount below zero costs nothing.
"""
