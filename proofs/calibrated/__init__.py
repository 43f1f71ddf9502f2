"""What `proofs.calibration` forecasts, and the parts in which it looks at coverage."""
