"""The last look before snapshots are published: what would be unsafe is refused, whoever made it.

Reads what is to be sent, not what it was made from, and knows none of the translator's ways: two
that agree by accident are less likely than one that is wrong. See docs/checker.md.
"""

from services.router.check.proof import Proof, problems, prove

__all__ = ["Proof", "problems", "prove"]
