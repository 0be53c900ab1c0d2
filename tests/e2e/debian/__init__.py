"""Debian's Postfix, nginx and Chromium with the real service: run by `make e2e`, which installs them."""
