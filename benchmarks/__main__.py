"""Run every benchmark, or those named: ``python -m benchmarks [ingest …]``."""

import importlib
import sys

ALL = ("ingest", "steady", "overload", "reading", "pages", "labeling", "instrumentation", "judging", "evaluation")

for name in sys.argv[1:] or ALL:
    print(f"== {name}: {importlib.import_module(f'benchmarks.{name}').__doc__.strip()}", flush=True)
    importlib.import_module(f"benchmarks.{name}").run()
