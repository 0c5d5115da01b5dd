"""Comment and context → numbers."""
