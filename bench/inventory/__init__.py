"""What there is: names, and the state of this installation."""
