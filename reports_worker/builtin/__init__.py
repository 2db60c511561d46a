"""The types of report that come along. They are written with `reports_worker.authoring` alone."""
