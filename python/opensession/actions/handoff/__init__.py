"""Handoffs: what one agent, person or CI job leaves for the next (docs/handoff.md), one verb a file.

Owns the order of steps; the summaries themselves are the core's, where they are kept is the store's. Must not know a
terminal.
"""
