"""The whole product on one machine: a sample company in a local workspace."""
