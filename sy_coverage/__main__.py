"""Run the command line with ``python -m sy_coverage``."""

from sy_coverage.cli import main

if __name__ == "__main__":
    main()
