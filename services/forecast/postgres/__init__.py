"""PostgreSQL's fast ways in and out, and its locks."""
