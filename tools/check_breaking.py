"""Runs `buf breaking` against the main branch: a contract that is published is kept.

A clone knows main as `origin/main` or `main`. On main itself, that is the commit before the change.
"""

import subprocess
import sys


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip()


def base() -> str | None:
    """The newest published commit that is not the one checked out and has protos."""
    head = git("rev-parse", "HEAD")
    for name in ("origin/main", "main", "HEAD~1"):
        commit = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if commit and commit != head and git("ls-tree", commit, "buf.yaml"):
            return commit
    return None


def main() -> None:
    commit = base()
    if commit is None:
        print("buf breaking: no earlier commit to compare with")
        return
    print(f"buf breaking: against {commit[:12]}")
    against = f".git#ref={commit}"
    sys.exit(subprocess.run(["buf", "breaking", "--against", against], check=False).returncode)  # noqa: S603, S607


if __name__ == "__main__":
    main()
