"""The faces: command line, API, web pages."""
