"""Charge models: how a quantity is priced, one module per model behind the one table in `registry`.

Adding a charge model:

1. Write `<model>.py` with two pure functions. `read(properties, errors)` gives the model's prices as a value
   of its own type and appends a `PropertyError` that names the field for whatever it cannot read; it ignores
   properties it does not know. `price(prices, usage, currency)` gives `Rated` for a quantity of zero or more,
   exact and unrounded, with a line for each part if the model has parts: a frozen dataclass with Lago's names
   and a `total`; the totals sum to the amount. Ranges are read and counted by `ranges`. What the model needs of
   single events stands in the usage: `event_values`, their shares by days, or `transactions`.
2. Add its line to `CHARGE_MODELS` in `registry.py`, under Lago's name for it; with `divide_by` where a unit price
   is not of all the units. What it asks of a metric goes into `rating.charge_rules`.
3. Add the model's cases to `tests/ingest/cases/rating_cases.json`; the conformance test runs every case by
   its id. Add a price list to `tests/ingest/rating/golden/`, and how to draw its properties to the property
   tests, which run over every registered model.

Usage of the models by unit, tiers and packages is priced by the database (`ingest.tier_prices`), which computes what
these modules mean: to change one of them is to change both, and a property test holds them together.

What holds for all models (Lago: charge models, common) stands once, in `contract.ChargeModel`: invalid
properties are refused, and usage or an amount below zero costs nothing.
"""
