"""Stronger image models whose opinion the embedded encoder learns from: never part of what is shipped."""
