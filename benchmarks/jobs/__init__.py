"""What jobs of the forecast service cost, end to end."""
