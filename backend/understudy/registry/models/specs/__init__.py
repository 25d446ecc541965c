"""The recorded specs of models, and the pipelines that they describe."""
