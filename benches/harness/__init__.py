"""Measuring: one command at a time in a fresh process, beside its peer, in interleaved rounds."""
