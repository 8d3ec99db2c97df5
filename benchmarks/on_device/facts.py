"""What can be known of the accelerator that JAX computes on: its name, its memory, and the software between."""

import functools
import importlib.metadata
import os
import subprocess

import jax

from benchmarks import measure

PACKAGES = (
    *("jax-cuda12-plugin", "jax-cuda13-plugin", "jax-rocm7-plugin", "libtpu"),
    *("nvidia-cublas-cu12", "nvidia-cublas", "nvidia-cudnn-cu12", "nvidia-cudnn-cu13"),
)
QUERY = "name,driver_version,memory.total,power.limit,clocks.max.sm"


def known(ask):
    """The answer, or nothing where a platform or a version of JAX has none."""
    try:
        return ask()
    except Exception:  # each runtime fails in its own way
        return None


def memory(name: str) -> int | None:
    """`bytes_limit`, what JAX may take, or `peak_bytes_in_use`, the most it took; a CPU does not say."""
    return (known(jax.devices()[0].memory_stats) or {}).get(name)


def runtime() -> str | None:
    """The platform's version as the compiler sees it; on a GPU, CUDA's."""
    from jax.extend import backend

    return known(lambda: backend.get_backend().platform_version)


@functools.cache
def card() -> dict[str, str] | None:
    """What NVIDIA's driver says of the first card."""
    if jax.default_backend() in ("cpu", "tpu"):
        return None
    command = ["nvidia-smi", "--id=0", f"--query-gpu={QUERY}", "--format=csv,noheader"]
    done = known(lambda: subprocess.run(command, capture_output=True, text=True, timeout=30))
    if done is None or done.returncode:
        return None
    return dict(zip(QUERY.split(","), done.stdout.splitlines()[0].split(", "), strict=False))


def versions() -> dict[str, str]:
    """Of the packages that bring the accelerator's libraries, those that are installed."""
    found = {package: known(lambda package=package: importlib.metadata.version(package)) for package in PACKAGES}
    return {package: version for package, version in found.items() if version}


def machine() -> dict[str, object]:
    """`measure.machine` with the accelerator named first, where the tables show it."""
    host, first, smi = measure.machine(), jax.devices()[0], card()
    limit = memory("bytes_limit")
    facts = [f"{limit / 2**30:.0f} GiB for JAX" if limit else "", f"driver {smi['driver_version']}" if smi else ""]
    facts = ", ".join(fact for fact in facts if fact)
    settings = {name: value for name, value in sorted(os.environ.items()) if name.startswith(("XLA_", "JAX_"))}
    return host | {
        "processor": f"{first.device_kind}{f' ({facts})' if facts else ''}, beside {host['processor']}",
        "platform": first.platform,
        "device": first.device_kind,
        "capability": known(lambda: str(first.compute_capability)),
        "memory": limit,
        "runtime": runtime(),
        "card": smi,
        "versions": host["versions"] | versions(),
        "settings": settings,
    }
