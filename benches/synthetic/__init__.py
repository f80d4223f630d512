"""Invented agent logs for the benchmarks: text pools and one writer a format.

Everything here is a function of a seed. It must not read a real log: the sizes and shares in these modules
were measured on real logs once and stand here as numbers, the words come from the lists in `text`.
"""
