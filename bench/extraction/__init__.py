"""How fast rows leave MySQL: our reader, its slow path, what others use, and the raw wire."""
