"""Which session made which commit, and how sure that is (docs/links.md).

Owns the rules of evidence: time, working directory, content. `lines` and `paths` say when a line and a file are the
same, `changes` reads what a session wrote, `evidence` compares the two. Must not know how links are stored or shown.
"""
