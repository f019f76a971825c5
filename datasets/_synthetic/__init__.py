"""The renderer of the invented people of the data set `synthetic`."""
