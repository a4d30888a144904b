"""What deploys Earshot: the image, and the files that start it."""
