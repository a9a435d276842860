"""Pages: templates, static files and what renders them. No rule of the ledger lives here."""
