"""What the mesh costs: latency and CPU against a direct call, snapshots against their number."""
