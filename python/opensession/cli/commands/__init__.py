"""One module a command: ``COMMAND`` says everything about it, ``run`` does it."""
