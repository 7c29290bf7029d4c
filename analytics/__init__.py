"""Frames in, values out: load, pace, plan, pain and alerts. No file, clock, database or log."""
