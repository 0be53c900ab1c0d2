"""The wire protocol of RFC 8620 in pure Python: no Django, no database, no network."""
