"""Print the one-line shell command of README.md that ends in the word given, so that CI runs what readers run."""

import pathlib
import re
import sys


def shell_lines(text):
    """The lines of every shell fence, without prompts and comments."""
    for fence in re.findall(r"^```(?:bash|sh|shell|console)\n(.*?)^```", text, re.S | re.M):
        for line in fence.splitlines():
            yield re.sub(r"\s+#.*$", "", line).removeprefix("$ ").strip()


if __name__ == "__main__":
    readme = pathlib.Path(__file__).parents[1] / "README.md"
    found = [line for line in shell_lines(readme.read_text("utf-8")) if re.search(rf"\b{sys.argv[1]}$", line)]
    if not found:
        raise SystemExit(f"README.md has no shell command that ends in `{sys.argv[1]}`")
    print(found[0])
