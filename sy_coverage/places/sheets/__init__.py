"""Understand a sheet as an office wrote it: which columns, which rows, which values."""
