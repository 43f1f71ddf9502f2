"""Messages to domain values and back. A field that breaks its rule: InvalidArgument."""
