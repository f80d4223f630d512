"""The Python peer of `parse` (benches/peer_orjson.py): the same mapping as the core's, with orjson."""
