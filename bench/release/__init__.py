"""From a user's photos to the files that this user publishes, and what they cost to look at."""
