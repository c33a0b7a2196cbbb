"""What people touch: Slack, the command line, the settings, the wiring, inference."""
