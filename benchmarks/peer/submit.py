"""Submit a report for each line that comes in, and answer with the time just before: for measurements."""

import sys
import time

from tasks import generate_report

for line in sys.stdin:
    begin = time.monotonic_ns()
    generate_report.delay(line.strip(), "sales")
    print(begin, flush=True)
