// says: its mounts are still tied to the originals
