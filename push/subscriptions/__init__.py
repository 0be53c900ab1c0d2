"""Web push: PushSubscription (RFC 8620 §7.2), encryption (RFC 8291), VAPID (RFC 8292, RFC 9749), and EmailPush."""
