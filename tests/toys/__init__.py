"""Types that have nothing to do with mail: what the engine promises is shown on them (RFC 8620 §5)."""
