"""Figures of this project, each against a named peer or limit measured in the same run."""
