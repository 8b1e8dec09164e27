#!/usr/bin/env python3
"""Write the siting proposals of some or all counties of a study: propose_sites.py STUDY.toml [--county CODE …] [--out DIR]."""

from sy_coverage.cli import propose_sites

if __name__ == "__main__":
    propose_sites()
