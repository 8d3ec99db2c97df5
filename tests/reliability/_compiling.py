"""What XLA compiles while something runs."""

import contextlib

import jax

EVENT = "/jax/core/compile/backend_compile_duration"


@contextlib.contextmanager
def compiled():
    """The names of the programs that are compiled within, as they come."""
    names = []

    def listen(event, duration, **about):
        if event == EVENT:
            names.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def programs(call, *arguments):
    """How many programs one call needs."""
    with compiled() as names:
        jax.block_until_ready(call(*arguments))
    return len(names)
