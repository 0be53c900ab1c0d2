"""Daphne as the process `push` runs it: its protocols with bounds, and outlets for what is pushed.

Daphne's own protocols hand each message through a queue and a coroutine, buffer without end what a client does not take in, and
name the URL of a request, ticket and all, where they log one. What is here is what they lack; the rest is theirs.
"""
