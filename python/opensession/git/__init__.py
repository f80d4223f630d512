"""Everything that starts the git program: repositories, ledgers, remotes.

No other package starts git, and this one starts nothing else. It must not know commands, the terminal or what an
answer is for.
"""
