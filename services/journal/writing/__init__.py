"""How requests and facts get to the disk, and the proof that they can."""
