"""`python -m mlpjax` is `mlpjax`."""

import sys

from mlpjax.cli import main

if __name__ == "__main__":
    sys.exit(main())
