"""What processes learn of each other: who is alive, and what the others wrote."""
