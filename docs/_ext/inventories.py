"""Where JAX, optax and NumPy document the names that we write about, so that no build needs a network.

`python -m docs._ext.inventories` writes docs/_ext/inv/*.inv from the names below, in the format of Sphinx. Add a name
when a page refers to it (a reference to an unknown name stops the build), and run it again.
"""

import argparse
import pathlib
import zlib

import platformdirs

FOLDER = pathlib.Path(__file__).parent / "inv"
HEAD = """# Sphinx inventory version 2
# Project: {}
# Version: {}
# The remainder of this file is compressed using zlib.
"""

JAX = {
    "jax": """checkpoint custom_jvp custom_vjp device_get device_put devices disable_jit enable_x64 eval_shape grad
        hessian jacfwd jacrev jit jvp linearize linear_transpose make_jaxpr pure_callback shard_map value_and_grad
        vjp vmap Array ShapeDtypeStruct""",
    "jax.debug": "callback print",
    "jax.flatten_util": "ravel_pytree",
    "jax.lax": """associative_scan cond conv_general_dilated dot_general fori_loop map optimization_barrier scan
        select stop_gradient switch top_k while_loop Precision""",
    "jax.nn": """elu gelu hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax logsumexp one_hot relu
        selu sigmoid silu softmax softplus standardize""",
    "jax.nn.initializers": """constant glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform
        normal ones orthogonal truncated_normal uniform variance_scaling zeros""",
    "jax.numpy": """abs allclose arange argmax array asarray clip concatenate cos dot einsum exp expm1 finfo full
        isfinite linspace log log1p logaddexp matmul maximum mean minimum ndarray ones outer sign sin split sqrt
        square stack sum tanh tensordot vdot vectorize where zeros zeros_like""",
    "jax.numpy.linalg": "cholesky eigh norm qr solve svd",
    "jax.random": """bernoulli bits categorical choice fold_in key normal orthogonal permutation rademacher randint
        split truncated_normal uniform wrap_key_data""",
    "jax.scipy.special": "erf erfc expit logsumexp xlogy",
    "jax.sharding": "Mesh NamedSharding PartitionSpec",
    "jax.tree": "flatten leaves leaves_with_path map map_with_path reduce structure transpose unflatten",
    "jax.tree_util": "keystr register_dataclass register_pytree_node register_static tree_map_with_path Partial",
}
OPTAX = {  # page of the documentation: (module that it documents, names)
    "api/optimizers": (
        "optax",
        "adabelief adagrad adam adamax adamw amsgrad lamb lars lbfgs lion nadam radam rmsprop sgd",
    ),
    "api/transformations": (
        "optax",
        """add_decayed_weights clip clip_by_global_norm ema scale scale_by_adam scale_by_schedule set_to_zero trace
        with_extra_args_support GradientTransformation GradientTransformationExtraArgs OptState Params Updates""",
    ),
    "api/optimizer_schedules": (
        "optax.schedules",
        """constant_schedule cosine_decay_schedule exponential_decay inject_hyperparams join_schedules linear_schedule
        piecewise_constant_schedule polynomial_schedule warmup_cosine_decay_schedule Schedule""",
    ),
    "api/apply_updates": ("optax", "apply_updates incremental_update"),
    "api/combining_optimizers": ("optax", "chain partition"),
}
NUMPY = {
    "numpy": "allclose argmax argsort array asarray dtype finfo load memmap ndarray save savez",
    "numpy.linalg": "cond eigvalsh norm svd",
    "numpy.random": "Generator default_rng",
}
ALIASES = {"mlpjax._types.Array": "jax.Array"}  # what a signature says, where that is an import of an import
BASE = {
    "jax": "https://docs.jax.dev/en/latest/",
    "optax": "https://optax.readthedocs.io/en/latest/",
    "numpy": "https://numpy.org/doc/stable/",
}


def role(name):
    """Sphinx's word for the kind of a name, by the conventions of these projects."""
    return "class" if name[0].isupper() or name in {"ndarray", "dtype", "finfo", "memmap"} else "function"


def one_page_each(modules, folder):
    """`{name: (role, address)}` where every name has a page of its own."""
    found = {f"{module}.{name}": role(name) for module, names in modules.items() for name in names.split()}
    return {name: (kind, f"{folder}/{name}.html#{name}") for name, kind in found.items()}


def optax():
    """`{name: (role, address)}`; schedules answer to both names that optax gives them."""
    found = {}
    for page, (module, names) in OPTAX.items():
        for name in names.split():
            entry = (role(name), f"{page}.html#{module}.{name}")
            found |= {f"{module}.{name}": entry, f"optax.{name}": entry}
    return found


def projects():
    """`{project: {name: (role, address)}}`."""
    jax = one_page_each(JAX, "_autosummary")
    return {
        "jax": jax | {alias: jax[name] for alias, name in ALIASES.items()},
        "optax": optax(),
        "numpy": one_page_each(NUMPY, "reference/generated"),
    }


def inventory(project, names):
    """The bytes of an inventory."""
    lines = "".join(f"{name} py:{kind} 1 {address} -\n" for name, (kind, address) in sorted(names.items()))
    return HEAD.format(project, "").encode() + zlib.compress(lines.encode(), 9)


def main(arguments=None):
    """Write every inventory, and forget the copies of old ones that MkDocs keeps for a day."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", type=pathlib.Path, nargs="?", default=FOLDER, help="where to write (default: %(default)s)"
    )
    folder = parser.parse_args(arguments).folder
    folder.mkdir(exist_ok=True)
    for copy in pathlib.Path(platformdirs.user_cache_dir("mkdocs")).glob("mkdocs_url_cache/*.inv"):
        copy.unlink()
    for project, names in projects().items():
        (folder / f"{project}.inv").write_bytes(inventory(project, names))
        print(f"{project}: {len(names)} names, {(folder / f'{project}.inv').stat().st_size} bytes")


if __name__ == "__main__":
    main()
