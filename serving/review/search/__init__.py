"""Search among cases, saved views, and what is known of one entity."""
