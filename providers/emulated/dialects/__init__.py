"""Formats that several emulated providers answer in: requests into questions, answers into replies."""
