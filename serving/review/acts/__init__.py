"""The acts on a case: what each changes, who may do it, and what it is recorded as."""
