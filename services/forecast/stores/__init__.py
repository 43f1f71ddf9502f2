"""Statements, by what they are about. The only modules that touch the tables."""
