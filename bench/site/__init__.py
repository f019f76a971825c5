"""From rows of boards to a static site: pages that open from a folder, without a network or a server."""
