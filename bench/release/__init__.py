"""From a user's photos to the files that this user publishes, and their cost."""
