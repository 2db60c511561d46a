"""Found by gunicorn in this folder; the settings themselves are part of the package."""

from reports_app.gunicorn_conf import *  # noqa: F403
