"""The Slack side: what comes in, what is shown, and the messages that go out."""
