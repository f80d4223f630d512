"""What the product does, one verb a file.

Owns the order of steps of each verb and nothing else: paths, descriptors and stores come in, plain records go
out, typed errors are raised. Must not know a terminal, a socket, an environment variable or a format.
"""
