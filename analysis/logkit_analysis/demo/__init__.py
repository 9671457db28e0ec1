"""The sample incident: a made-up bot's logs with their known truth."""
