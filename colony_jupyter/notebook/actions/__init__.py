"""What magics do: plain functions on an `AsyncColony`, without IPython."""
