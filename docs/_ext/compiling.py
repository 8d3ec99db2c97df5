"""How to compile in less time what is run once: pages and tests spend most of theirs in XLA.

Without most of what LLVM and XLA do to be fast, a program compiles in about half the time; what it computes is the
same up to rounding.
"""

from importlib import metadata

FAST_TO_COMPILE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

# What users have, for programs whose last bits a test looks at.
OPTIMIZED = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False}

if tuple(map(int, metadata.version("jaxlib").split(".")[:2])) < (
    0,
    12,
):  # later ones die of an option that they lack
    FAST_TO_COMPILE["xla_cpu_use_fusion_emitters"] = False
    OPTIMIZED["xla_cpu_use_fusion_emitters"] = True


def xla_flags() -> str:
    """`FAST_TO_COMPILE` for every program of a process, in the form of the environment variable XLA_FLAGS."""
    return " ".join(f"--{name}={str(value).lower()}" for name, value in FAST_TO_COMPILE.items())
