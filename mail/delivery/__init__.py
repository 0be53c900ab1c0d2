"""Mail comes in: recipients, `deliver`, and the LMTP server that calls it (RFC 2033)."""
