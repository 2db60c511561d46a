"""The page of the last full runs, its rows and where they are stored."""
