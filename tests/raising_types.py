"""Bodies of types of report that raise what no `except Exception` catches, with the cause that a reader is told.

For `tests.integration.sample_types.write_python`.
"""

from __future__ import annotations

_AMID_ROWS = """\
def give():
    yield (1,)
    raise {}("amid")
return Contents({{}}, tables=[Table("found", "Found", GivenRows([NUMBER], give()))])"""

RAISING = {
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "closes": ("raise GeneratorExit('closed')", "GeneratorExit: closed"),
    "exits_politely": ("raise SystemExit(3)", "SystemExit: 3"),
    "panics": (
        "class PanicException(BaseException):\n    pass\nraise PanicException('called `unwrap()` on `None`')",
        "PanicException: called `unwrap()` on `None`",
    ),
    "awaits_what_was_cancelled": (
        """\
        import asyncio
        async def main():
            task = asyncio.create_task(asyncio.sleep(10))
            await asyncio.sleep(0)
            task.cancel()
            await task
        asyncio.run(main())""",
        "CancelledError",
    ),
    "raises_amid_rows": (_AMID_ROWS.format("KeyboardInterrupt"), "KeyboardInterrupt: amid"),
    "closes_amid_rows": (_AMID_ROWS.format("GeneratorExit"), "GeneratorExit: amid"),
    "has_no_words": (
        """\
        class Wordless(Exception):
            def __str__(self):
                raise KeyboardInterrupt
        raise Wordless""",
        "Wordless",
    ),
    "raises_of_a_thread": (
        """\
        from concurrent.futures import ThreadPoolExecutor
        def stop():
            raise KeyboardInterrupt("on a thread")
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(stop).result()""",
        "KeyboardInterrupt: on a thread",
    ),
}
