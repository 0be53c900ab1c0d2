"""The sample mail of the demo: two people of a small firm, written for this project."""
