"""Broken and hostile files through the tool's own commands, and what becomes of each."""
