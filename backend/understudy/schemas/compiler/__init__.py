"""The spec of a model, the compile report and the report on its int8 variant."""
