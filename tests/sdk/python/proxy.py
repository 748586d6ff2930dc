"""A 429chain process: started, awaited by what it prints, ended by its id."""

import os
import queue
import re
import subprocess
import threading
import time
from pathlib import Path

CONFIG = Path(__file__).parent.parent / "proxy.yaml"
CLIENT_KEY = "sdk-client-key-of-the-tests"
START_SECONDS = 30
STOP_SECONDS = 30


class Proxy:
    """The running process, its base URL and the key that clients use."""

    @classmethod
    def demo(cls, directory):
        proxy = cls(["demo", "--port", "0"], directory)
        found = proxy.read_until(r"Base URL:\s*(\S+/v1)\b", r"Client key:\s*(\S+)", r"Admin key:\s*(\S+)")
        proxy.base_url, proxy.key, proxy.admin_key = found
        return proxy

    @classmethod
    def serve(cls, upstream, directory):
        environment = {"UPSTREAM": upstream, "DATA": str(directory)}
        proxy = cls(["serve", "-c", str(CONFIG), "--port", "0"], directory, environment)
        (address,) = proxy.read_until(r"listening on (http://127\.0\.0\.1:\d+)")
        proxy.base_url, proxy.key = f"{address}/v1", CLIENT_KEY
        return proxy

    def __init__(self, arguments, directory, environment=None):
        binary = os.path.abspath(os.environ.get("CHAIN429_BIN", "target/debug/429chain"))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHAIN429_")}
        self.process = subprocess.Popen(
            [binary, *arguments],
            cwd=directory,
            env=inherited | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self.output = []
        self._lines = queue.Queue()
        # The pipe is emptied for as long as the process lives: a full one would block it.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def read_until(self, *patterns):
        """The first group of each pattern, once every one of them has stood on a line; ends a process that is late."""
        found = {}
        deadline = time.monotonic() + START_SECONDS
        while len(found) < len(patterns):
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self.process.kill()
                self.process.wait()
                missing = [pattern for pattern in patterns if pattern not in found]
                raise AssertionError(f"429chain did not print {missing}; it printed:\n{''.join(self.output)}")
            for pattern in patterns:
                if pattern not in found and (match := re.search(pattern, line)):
                    found[pattern] = match.group(1)
        return [found[pattern] for pattern in patterns]

    def stop(self):
        """Asks the process to end and holds it to doing so in order."""
        self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"429chain did not end; it printed:\n{''.join(self.output)}") from None
        self._reader.join(STOP_SECONDS)
        assert code == 0, f"429chain ended with {code}; it printed:\n{''.join(self.output)}"
