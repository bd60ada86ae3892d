"""Letters to a party about a case that ended, and disclosures to a court or authority."""
