"""From pixels to the face: found, and aligned."""
