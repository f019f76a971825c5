"""From pixels to the face: detection and alignment."""
