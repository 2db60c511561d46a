"""`python -m reports_worker.catalog`: inspect the definitions of report types, in a process of their own."""

import sys

from .inspection import main

sys.exit(main())
