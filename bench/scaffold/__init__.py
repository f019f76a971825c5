"""The files of a plug-in of one's own, to begin with: an installable folder that works as it is."""
