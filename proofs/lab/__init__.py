"""Three regions of real processes on loopback, made to be broken, and a client that counts."""
