"""How Hemline runs somewhere: the topology, the world on one machine, later AWS."""
