"""What each aggregation means: many events of one metric become one quantity.

The database aggregates set-based; these functions define what it has to give. Adding an aggregation:

1. Write `<aggregation>.py` with one pure function of the events, in time order and inside the window, and the span
   they are measured over; it gives an `Aggregated`.
2. Add its line to `AGGREGATIONS` in `registry.py`, under Lago's name for it, and to the choices of the model.
3. Write how the database measures it in `ingest/measuring/`; the property test that both agree fails until then.
4. Add its cases to `tests/ingest/cases/`; the conformance test runs every case by its id.
"""
