"""Measurements that stand in docs/ and in the models' cards, each rerun by one command from the repository's folder."""
