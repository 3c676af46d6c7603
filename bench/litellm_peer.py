"""LiteLLM's proxy as a peer, from PyPI in an environment of its own: its cached reply and its pass-through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.processes import BenchError, accepts, children, end, free_ports, on_core, wait_until
from bench.product import ROOT

# The newest of these whose own requirements the package index can meet.
WANTED = "litellm[proxy]>=1.106,<=1.109.1"
ENVIRONMENT = ROOT / ".venv-bench-peers"
_CONFIG = """
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-benchmark}}
litellm_settings:
  {cache}
"""
_CACHE = "cache: true\n  cache_params: {type: local}"


def install() -> str:
    """Makes the environment unless it is there, and returns LiteLLM's version."""
    python = str(ENVIRONMENT / "bin" / "python")
    marker = ENVIRONMENT / "installed"
    if not marker.exists() or marker.read_text() != WANTED:
        print(f"==> Installing {WANTED} into {ENVIRONMENT.name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, WANTED], capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"LiteLLM cannot be installed: {done.stderr[-1000:]}")
        marker.write_text(WANTED)
    asked = [python, "-c", "from importlib.metadata import version; print(version('litellm'))"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


class LiteLLM:
    """One LiteLLM proxy with one worker process on one core."""

    def __init__(self, directory: Path, *, upstream_port: int, core: int, is_caching: bool) -> None:
        directory.mkdir()
        self.port = free_ports(1)[0]
        config = directory / "config.yaml"
        config.write_text(_CONFIG.format(upstream=upstream_port, cache=_CACHE if is_caching else "cache: false"))
        command = [
            str(ENVIRONMENT / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1",
            "--port", str(self.port), "--num_workers", "1", "--telemetry", "False",
        ]  # fmt: skip
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")},
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            # Without keys to check it does less, as Rubberduck does.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        }
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=directory, env=environment, stdout=log, stderr=log, preexec_fn=on_core(core)
            )
        wait_until(lambda: accepts(self.port) or self._process.poll() is not None, "LiteLLM starts", 180)
        if self._process.poll() is not None:
            raise BenchError(f"LiteLLM does not start: {(directory / 'log').read_text()[-1500:]}")

    def pids(self) -> list[int]:
        return children(self._process.pid)

    def stop(self) -> None:
        end(self._process)
