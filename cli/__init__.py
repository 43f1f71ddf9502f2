"""The `hemline` command: a client of the contracts, plus the local world's commands."""
