"""The acts on a case: their changes, their rights and their events."""
