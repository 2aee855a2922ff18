"""The main job in one command: a world of four countries, sixteen nodes, one story, an honest table."""
