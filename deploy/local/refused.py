"""What is said when a command on a world cannot be carried out."""


class Refused(Exception):
    """It is not done. The message says why, in one line."""
