"""The full screen of a live view. Nothing else loads Textual."""
