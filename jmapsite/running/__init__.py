"""`manage.py run`: every process of the service on one machine, started, watched and stopped together.

`processes` says what is started, `supervisor` does it, `guard` cleans up after a supervisor that was killed,
`certificates` makes the TLS certificates of HTTPS=1, and `announcement` tells the person at the terminal where
everything is.
"""
