"""What is kept, and under which key."""
