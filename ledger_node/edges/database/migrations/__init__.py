"""Schema versions (Alembic). A revision works with the code before it and after it."""
