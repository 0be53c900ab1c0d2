"""The standard methods of RFC 8620 §5: one module for each section, derived from a type's declaration."""
