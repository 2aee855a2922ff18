"""The two HTTP faces of a node: for peers, and for its own operators."""
