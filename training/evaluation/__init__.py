"""Measuring versions: on held-out questions, on general probes, against each other."""
