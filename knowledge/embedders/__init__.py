"""The embedders beside the bundled English one, and what they share."""
