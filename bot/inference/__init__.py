"""Inference: engines behind `LanguageModel`, and the server that swaps them without mixing."""
