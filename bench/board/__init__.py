"""Records -> tables and pictures."""
