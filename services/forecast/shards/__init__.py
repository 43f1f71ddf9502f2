"""A piece of a job, and where it is computed. Numbers in, numbers out: no names, no database."""
