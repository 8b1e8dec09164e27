"""Write what became of every row and road as lists that a spreadsheet opens, and say it in words."""
