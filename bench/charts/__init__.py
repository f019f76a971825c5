"""From rows of boards to charts: one function makes a chart, and the site and `bench figure` show it."""
