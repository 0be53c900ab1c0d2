"""The methods of RFC 9404: blobs made, read and looked up by method calls instead of HTTP requests."""
