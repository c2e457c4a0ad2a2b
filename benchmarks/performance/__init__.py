"""How fast posecli is, and how much memory it takes: docs/performance.md and its figures."""
