"""What Hemline promises, shown by exhaustive check and by fault runs. Each proof prints JSON."""
