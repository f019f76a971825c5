"""The graph of near photos: the search for neighbours, and the algorithms that run on the graph."""
