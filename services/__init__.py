"""Hemline's services, and the chassis on which they stand."""
