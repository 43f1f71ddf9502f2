"""What speaks the contract: servicers, the converters of their messages, and what these share."""
