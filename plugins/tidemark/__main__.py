"""`python -m tidemark`: the same as `python -m tidemark.cli`."""

import sys

from tidemark.cli import main

if __name__ == "__main__":  # workers of the receiver import this too
    sys.exit(main())
