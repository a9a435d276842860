"""Database edge: SQLAlchemy Core over SQLite (WAL) or PostgreSQL. The only SQL of the node."""
