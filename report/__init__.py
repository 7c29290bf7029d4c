"""What a person gets to see: the page, its charts, messages and notifications."""
