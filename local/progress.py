"""Tells a person who waits what is being done, and since when."""

import time


class Progress:
    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:3.0f} s] {text}", flush=True)
