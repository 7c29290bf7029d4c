"""The front door: command line, and later the web pages."""
