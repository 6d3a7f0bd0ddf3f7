"""The set-based half of metering: one SELECT for each way to measure, over all subscriptions at once.

The pure room `ingest.metering` defines what these compute; a property test shows that both agree. A way to measure
gives a row for each task and group: what is aggregated, how many events made it, how many of them were late, and
what some prices need of single events. Adding one is one module here and its line in `statement.MEASURES`.
"""
