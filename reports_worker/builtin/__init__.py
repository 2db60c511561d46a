"""The built-in report types. They use `reports_worker.authoring` alone, as types of users do."""
