"""The web pages: what the published copy says, and forms that do what the command line does."""
