"""The operator pages of one node: server-rendered, for the node's own staff only.

``view.py`` says what the pages need of a node; ``router.py`` builds the application from it.
"""
