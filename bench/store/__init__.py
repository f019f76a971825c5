"""The results that are kept, and the keys that they are kept under."""
