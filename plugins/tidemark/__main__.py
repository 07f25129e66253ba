"""`python -m tidemark`: what `tidemark.cli` describes."""

import sys

from tidemark.cli import main

if __name__ == "__main__":  # workers of the receiver import this too
    sys.exit(main())
