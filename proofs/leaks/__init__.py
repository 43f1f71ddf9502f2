"""Looks for a tenant's data where it must not be: canary strings in, a search of foreign stores."""
