"""Speed and memory beside the sample's design, FastAPI with Celery, as ratios of one run: `make bench`."""
