"""The world on one machine: every region with real PostgreSQL, Redis, Envoy and the services."""
