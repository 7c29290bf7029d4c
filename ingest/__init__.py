"""Exports in, facts out: what a file says, cleaned, named and refused in plain words."""
