"""Settle with the office what its lists leave open: doubts, answers, rows that count."""
