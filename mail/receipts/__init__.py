"""What comes back for mail that was sent: delivery status notifications (RFC 3464) and disposition notifications (RFC 8098)."""
