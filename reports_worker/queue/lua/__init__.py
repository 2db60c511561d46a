"""The scripts that Redis runs, so that each change of a report happens whole or not at all."""
