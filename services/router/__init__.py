"""router: where requests go. Configures edges and sidecars over xDS, on no request's way."""
