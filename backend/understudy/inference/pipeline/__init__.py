"""Turn a clip into scores: cut windows, run the network, aggregate, find events."""
