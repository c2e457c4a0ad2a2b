"""How good the embedded models are, on validation data, beside the teachers: docs/quality.md and its figures."""
