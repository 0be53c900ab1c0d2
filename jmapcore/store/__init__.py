"""Tracked tables, the one write path, states and the change log (RFC 8620 §5)."""
