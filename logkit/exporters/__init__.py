"""What is shown to the outside; the only modules that import the extra ``[metrics]``."""
