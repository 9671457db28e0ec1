"""Judgement over a series of numbers: the rows of a query in, findings out. No I/O."""
