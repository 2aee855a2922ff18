"""The standard drawn, measured and exported: what the pages and the command line both give out."""
