"""Synthetic people: articulated, dressed and moving, drawn with exact labels."""
