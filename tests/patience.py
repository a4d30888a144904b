"""How long a test waits for what ought to come. Not a measure of anything: only so that a test of what never comes ends."""

HANG_S = 60.0
"""Long enough for a machine with ten times more to do than it can."""
