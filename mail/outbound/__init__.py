"""Mail on its way out: the queue and its workers, the relay, signatures, and what senders are told (docs/adr/0206)."""
