"""Answers to mail that comes while its reader is away: VacationResponse (RFC 8621 §8) by the rules of RFC 3834."""
