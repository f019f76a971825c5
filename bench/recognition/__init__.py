"""The attacker's view of photos: faces, and embeddings of them."""
