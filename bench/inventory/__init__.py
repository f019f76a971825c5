"""Names of everything that can be chosen, and the state of this installation."""
