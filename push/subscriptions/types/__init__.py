"""PushSubscription and the objects that are pushed, as they are on the wire."""
