"""Bringing existing mail into an account: readers of mail files, and the importer that stores what they read.

The readers (everything but `importer`) are pure Python and know no database.
"""
