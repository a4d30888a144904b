"""The two databases: how statements run in them, the schema with its migrations, and how others notice a change."""
