"""From a clip to scores: windows, network, aggregation, verdict."""
