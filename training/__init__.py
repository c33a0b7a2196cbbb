"""Pairs in, a measured model version out."""
