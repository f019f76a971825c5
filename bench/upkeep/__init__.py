"""The store as a whole: what it holds, whether it is sound, what may go, and a copy for others."""
