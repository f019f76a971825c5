"""What every attacker does with embeddings: unit rows, an order by content, numbers of clusters."""
