"""What every service stands on: serving, errors, callers, residency, database, telemetry."""
