"""Pages. A package in name only, so that an editable install finds the folder."""
