"""Long work: asked for, taken up step by step, and ended, by any process of the region."""
