"""What a tenant sells and where, and the append-only ledger of its stock."""
