"""What reports/published is made of: results packed, counted, and quoted."""
