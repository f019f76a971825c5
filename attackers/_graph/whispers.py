"""Label propagation on a weighted graph."""

from __future__ import annotations

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph


def whispered_labels(graph: Graph, passes: int, seed: int) -> Ints:
    """Chinese Whispers (Biemann 2006): each photo repeatedly takes the name that its neighbours favour most.

    Photos are visited in a new random order on each pass. Names are weighed by cosine similarity. Of equally
    weighed names a photo keeps its own, or else takes the name of the lowest number. A photo is visited again
    only if a neighbour changed its name since: otherwise nothing could change.

    Args:
        graph: The pairs of near photos.
        passes: The number of passes over all photos, at most.
        seed: The seed of the order in which photos are visited.

    Returns:
        int [photo], clusters numbered from 0 by first appearance; a photo by itself is noise, -1.
    """
    alike = graph.alike()
    starts, near, weight = alike.indptr.tolist(), alike.indices.tolist(), alike.data.tolist()
    name = list(range(graph.photos))
    due = bytearray(b"\x01" * graph.photos)
    random = np.random.Generator(np.random.Philox(seed))
    for _ in range(passes):
        for photo in random.permutation(graph.photos).tolist():
            if not due[photo]:
                continue
            due[photo] = 0
            start, end = starts[photo], starts[photo + 1]
            if start == end:
                continue
            votes: dict[int, float] = {}
            for other, vote in zip(near[start:end], weight[start:end], strict=True):
                votes[name[other]] = votes.get(name[other], 0.0) + vote
            most = max(votes.values())
            if votes.get(name[photo]) == most:
                continue
            name[photo] = min(candidate for candidate, total in votes.items() if total == most)
            for other in near[start:end]:
                due[other] = 1
        if not any(due):
            break
    return without_singles(np.asarray(name, np.int64))
