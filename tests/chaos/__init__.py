"""`make chaos`: processes are killed, PostgreSQL restarted and Redis emptied while mail comes in and goes out.

    python -m tests.chaos --help

Nothing here is a test of pytest: it takes minutes, and prints figures. It fails where a message was lost or is there twice.
"""
