"""The command ``messenger``: one file a command."""
