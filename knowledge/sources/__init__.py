"""Sources that are more than a folder: repositories, websites, exports of Slack and of wikis."""
