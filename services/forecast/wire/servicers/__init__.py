"""One servicer for each service of the contract. They translate, and open transactions."""
