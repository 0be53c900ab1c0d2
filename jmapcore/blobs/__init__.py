"""Blobs (RFC 8620 §6): where the bytes are, who may see them, upload, download, copy and the sweep."""
