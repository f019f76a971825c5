"""What an attacker sees of photos: faces, and embeddings of them."""
