"""Reports from Hark's results files, and from nothing else: one Jinja2 template a format."""
