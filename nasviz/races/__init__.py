"""Strategies with many seeds on one budget, and their standings."""
