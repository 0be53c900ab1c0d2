"""HOW: the JMAP engine of RFC 8620; knows no mail word."""
